//! One attacked store: the encodings that the attacker sees, and the truth that success is
//! counted by.

use std::{collections::BTreeMap, sync::Arc};

use record::{EncodedRecord, Schema};
use synthetic::PersonId;

use super::{
    align::Alignment,
    graph::{Column, Graph, rarity_table, spaces},
    profile::Profiler,
    propagate::{Claim, Propagation},
    scene::{Keys, Scene},
};

/// One in so many participants is known to an attacker who knows some.
pub const KNOWN_IN: usize = 100;

/// How many things an attack got right, of how many it claimed and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Claimed and right.
    pub right: usize,
    /// Claimed.
    pub claimed: usize,
    /// All there are.
    pub of: usize,
}

/// What is stored, and the population file encoded by the attacker.
pub struct Case {
    /// The schema of all encodings.
    pub schema: Arc<Schema>,
    /// The plaintext of both.
    pub scene: Scene,
    /// The stored records.
    pub stored: Vec<EncodedRecord>,
    /// For each stored record its participant. The service knows participants, so a thief of its
    /// database does; they are taken as right.
    pub participants: Vec<u32>,
    /// The population file under the attacker's keys.
    pub population: Vec<EncodedRecord>,
    /// The population file under the victims' keys: the truth, and the control.
    pub truth: Vec<EncodedRecord>,
    /// For each participant its place in the population file, if it is there.
    pub places: Vec<Option<u32>>,
}

/// The equality graphs of a case over some of the columns.
pub struct Graphs {
    columns: Vec<Column>,
    spaces: Vec<usize>,
    stored: Graph,
    population: Graph,
    truth: Graph,
}

impl Share {
    /// Counts one more that there is, with what was claimed of it.
    pub fn add(&mut self, claimed: bool, right: bool) {
        self.of += 1;
        self.claimed += usize::from(claimed);
        self.right += usize::from(right);
    }

    /// The share that is right of all there are.
    pub fn recall(&self) -> f64 {
        self.right as f64 / self.of.max(1) as f64
    }

    /// The share that is right of all that is claimed; 1 where nothing is.
    pub fn precision(&self) -> f64 {
        if self.claimed == 0 { 1.0 } else { self.right as f64 / self.claimed as f64 }
    }
}

impl Case {
    /// Encodes both sides of a scene.
    pub fn new(schema: &Arc<Schema>, scene: Scene) -> Self {
        let mut numbers: BTreeMap<PersonId, u32> = BTreeMap::new();
        let mut participants = Vec::with_capacity(scene.victims.len());
        for row in &scene.victims {
            let next = numbers.len() as u32;
            participants.push(*numbers.entry(row.person).or_insert(next));
        }
        let mut places = vec![None; numbers.len()];
        for (place, row) in (0..).zip(&scene.population) {
            if let Some(number) = numbers.get(&row.person) {
                places[*number as usize] = Some(place);
            }
        }
        Self {
            stored: Keys::VICTIM.store(schema, &scene.victims),
            population: Keys::ATTACKER.store(schema, &scene.population),
            truth: Keys::VICTIM.store(schema, &scene.population),
            schema: schema.clone(),
            scene,
            participants,
            places,
        }
    }

    /// The equality graphs over `columns`.
    pub fn graphs(&self, columns: &[Column]) -> Graphs {
        let rows: Vec<u32> = (0..self.population.len() as u32).collect();
        let graph = |records, owners, public| {
            Graph::new(&self.schema, columns, records, owners, &rarity_table(public))
        };
        let stored = graph(&self.stored, &self.participants, &self.truth);
        let population = graph(&self.population, &rows, &self.population);
        let truth = graph(&self.truth, &rows, &self.truth);
        let spaces = spaces(columns.len(), [&stored, &population]);
        Graphs { columns: columns.to_vec(), spaces, stored, population, truth }
    }

    /// Pairs of participant and place in the population file that are known beforehand.
    pub fn known(&self) -> Vec<(u32, u32)> {
        let places = (0..).zip(&self.places).step_by(KNOWN_IN);
        places.filter_map(|(participant, place)| Some((participant, (*place)?))).collect()
    }

    /// How many stored records are taken for the right person.
    pub fn records(&self, claims: &[Option<Claim>]) -> Share {
        let mut share = Share::default();
        for participant in &self.participants {
            let claim = claims[*participant as usize].map(|claim| claim.person);
            share.add(
                claim.is_some(),
                claim.is_some() && claim == self.places[*participant as usize],
            );
        }
        share
    }
}

impl Graphs {
    /// Claims by the rank of frequencies alone.
    pub fn by_frequency(&self) -> (Alignment, Vec<Option<Claim>>) {
        let alignment = Alignment::by_frequency(&self.stored, &self.population, &self.spaces, 2);
        let attack = self.attack(&self.population, Vec::new());
        let claims = attack.match_people(&alignment, &vec![None; self.stored.people.len()]);
        (alignment, claims)
    }

    /// Claims by the whole equality graph, from `seeds` if there are any.
    pub fn by_equality(&self, seeds: Vec<(u32, u32)>) -> (Alignment, Vec<Option<Claim>>) {
        let outcome = self.attack(&self.population, seeds).run();
        (outcome.alignment, outcome.claims)
    }

    /// The control that must succeed: the attacker has the keys.
    pub fn by_keys(&self) -> Vec<Option<Claim>> {
        let alignment = Alignment::by_value(&self.stored, &self.truth);
        let attack = self.attack(&self.truth, Vec::new());
        attack.match_people(&alignment, &vec![None; self.stored.people.len()])
    }

    fn attack<'a>(&'a self, population: &'a Graph, seeds: Vec<(u32, u32)>) -> Propagation<'a> {
        let graphs = Profiler { stored: &self.stored, population, spaces: &self.spaces };
        Propagation { graphs, seeds }
    }

    /// For each column that is one field's, how many participants' values are aligned rightly.
    pub fn values(&self, alignment: &Alignment) -> Vec<(Column, Share)> {
        let truth = self.true_values();
        let mut shares = vec![Share::default(); self.columns.len()];
        for slot in self.stored.people.iter().flatten() {
            let node = self.stored.slot_node[*slot as usize] as usize;
            let other = alignment.to[node];
            let right = other
                .is_some_and(|other| truth[other as usize] == Some(self.stored.node_value[node]));
            shares[self.stored.column(*slot)].add(other.is_some(), right);
        }
        let of_fields =
            |(column, _): &(Column, Share)| matches!(column, Column::Filter(_) | Column::Token(..));
        self.columns.iter().copied().zip(shares).filter(of_fields).collect()
    }

    /// For each node of the population what the victims' keys make of its value, for the columns
    /// that are one field's.
    fn true_values(&self) -> Vec<Option<u64>> {
        let mut values = vec![None; self.population.nodes()];
        for (ours, theirs) in self.population.people.iter().zip(&self.truth.people) {
            for slot in ours {
                let column = self.population.column(*slot);
                let same = theirs.iter().find(|it| self.truth.column(**it) == column);
                if let (Some(same), Column::Filter(_) | Column::Token(..)) =
                    (same, self.columns[column])
                {
                    let node = self.truth.slot_node[*same as usize];
                    values[self.population.slot_node[*slot as usize] as usize] =
                        Some(self.truth.node_value[node as usize]);
                }
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        privacy::{graph::columns, scene::Setting},
        schema,
    };

    /// A case of 400 people and all its columns.
    fn case(setting: Setting) -> (Case, Vec<Column>) {
        let schema = schema();
        let case = Case::new(&schema, Scene::new(setting, &schema, 400, 7, 0.5));
        (case, columns(&schema))
    }

    #[test]
    fn who_has_the_keys_finds_everybody_who_is_in_the_file() {
        let (case, columns) = case(Setting::Partial);
        let share = case.records(&case.graphs(&columns).by_keys());
        let in_file = case.places.iter().flatten().count();
        assert_eq!((share.of, in_file), (200, 100));
        assert!(share.right >= 98, "{share:?}");
    }

    #[test]
    fn the_equality_graph_finds_people_and_a_shuffled_file_finds_nobody() {
        let (case, columns) = case(Setting::Copy);
        let graphs = case.graphs(&columns);
        let (alignment, claims) = graphs.by_equality(case.known());
        assert!(case.records(&claims).recall() > 0.9);
        let values = graphs.values(&alignment);
        assert!(values.iter().all(|(_, share)| share.right <= share.claimed && share.of > 0));
        let shuffled = Case::new(&case.schema, case.scene.shuffled(1));
        let (_, claims) = shuffled.graphs(&columns).by_equality(Vec::new());
        assert!(shuffled.records(&claims).recall() < 0.05);
    }
}
