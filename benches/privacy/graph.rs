//! The equality graph: which participants share which stored value of which column.
//!
//! Built from encodings alone. Values that can be compared across columns (given and family name,
//! a date and its swapped form) have equal encodings there, so one node stands in several columns.

use record::{Derivation, EncodedRecord, Schema};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// One kind of stored value whose equality the service sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The filter of a field.
    Filter(usize),
    /// A derived token of a field.
    Token(usize, Derivation),
    /// The tokens of a blocking key.
    Blocking(usize),
    /// How rare the value of a field is, by a public table of frequencies: not stored today, but
    /// what could be stored in the place of the field.
    Rarity(usize),
}

/// How rare each value of the fields with filters is, by its stored filter.
pub type RarityTable = FxHashMap<u64, u64>;

/// People and what they share. A *slot* is a value in a column; its *node* is the value itself.
pub struct Graph {
    /// For each person the slots of any of its records, in order.
    pub people: Vec<Vec<u32>>,
    /// For each slot its column: a place in the list that [`columns`] gives.
    pub slot_column: Vec<u8>,
    /// For each slot its node.
    pub slot_node: Vec<u32>,
    /// For each slot the people who have it, in order.
    pub holders: Vec<Vec<u32>>,
    /// For each node its slots, in order.
    pub node_slots: Vec<Vec<u32>>,
    /// For each node a hash of the stored value.
    pub node_value: Vec<u64>,
    /// For each column how many people have it.
    pub column_people: Vec<u32>,
}

/// Every kind of stored value of `schema`, in schema order.
pub fn columns(schema: &Schema) -> Vec<Column> {
    let mut columns = Vec::new();
    for (place, field) in schema.fields.iter().enumerate() {
        columns.extend(field.filter.as_ref().map(|_| Column::Filter(place)));
        columns.extend(field.tokens.iter().map(|derivation| Column::Token(place, *derivation)));
    }
    columns.extend((0..schema.blocking.len()).map(Column::Blocking));
    columns
}

impl Column {
    /// The column as a schema file would name it.
    pub fn name(&self, schema: &Schema) -> String {
        match self {
            Self::Filter(field) => schema.fields[*field].name.clone(),
            Self::Token(field, derivation) => {
                format!("{}:{derivation}", schema.fields[*field].name)
            }
            Self::Blocking(key) => format!("blocking {}", schema.blocking[*key].name),
            Self::Rarity(field) => format!("{}:rarity", schema.fields[*field].name),
        }
    }

    /// The stored values of `record` in this column, hashed.
    pub fn values(
        &self,
        schema: &Schema,
        record: &EncodedRecord,
        rarity: &RarityTable,
    ) -> Vec<u64> {
        match self {
            Self::Filter(field) => filter_value(record, *field).into_iter().collect(),
            Self::Rarity(field) => filter_value(record, *field)
                .map(|value| rarity.get(&value).copied().unwrap_or_default() << 8 | *field as u64)
                .into_iter()
                .collect(),
            Self::Token(field, derivation) => {
                let place = schema.fields[*field].tokens.iter().position(|it| it == derivation);
                let token = record.fields[*field].as_ref().zip(place);
                token
                    .and_then(|(field, place)| field.tokens[place])
                    .map(|it| it.0)
                    .into_iter()
                    .collect()
            }
            Self::Blocking(key) => record
                .blocking
                .iter()
                .filter(|token| usize::from(token.key) == *key)
                .map(|token| token.token.0)
                .collect(),
        }
    }
}

/// The filter of a field, hashed.
fn filter_value(record: &EncodedRecord, field: usize) -> Option<u64> {
    let filter = record.fields[field].as_ref()?.filter.as_ref()?;
    let mut hasher = FxHasher::default();
    filter.hash(&mut hasher);
    Some(hasher.finish())
}

/// Rarity classes by the frequencies in `records`: each class is four times as frequent as the
/// one below it.
pub fn rarity_table(records: &[EncodedRecord]) -> RarityTable {
    let mut counts = RarityTable::default();
    for record in records {
        for value in (0..record.fields.len()).filter_map(|field| filter_value(record, field)) {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts.values_mut().for_each(|count| *count = u64::from(count.ilog2() / 2));
    counts
}

impl Graph {
    /// The graph of `records` over `columns`. `owners` has for each record its person, from 0;
    /// `rarity` is the public table of frequencies as these records are encoded.
    pub fn new(
        schema: &Schema,
        columns: &[Column],
        records: &[EncodedRecord],
        owners: &[u32],
        rarity: &RarityTable,
    ) -> Self {
        let n_people = owners.iter().max().map_or(0, |last| *last as usize + 1);
        let mut graph = Self {
            people: vec![Vec::new(); n_people],
            slot_column: Vec::new(),
            slot_node: Vec::new(),
            holders: Vec::new(),
            node_slots: Vec::new(),
            node_value: Vec::new(),
            column_people: vec![0; columns.len()],
        };
        let mut nodes: FxHashMap<u64, u32> = FxHashMap::default();
        let mut slots: FxHashMap<(u8, u32), u32> = FxHashMap::default();
        for (record, owner) in records.iter().zip(owners) {
            for (place, column) in (0..).zip(columns) {
                for value in column.values(schema, record, rarity) {
                    let node = *nodes.entry(value).or_insert_with(|| graph.add_node(value));
                    let slot = slots.entry((place, node));
                    let slot = *slot.or_insert_with(|| graph.add_slot(place, node));
                    graph.people[*owner as usize].push(slot);
                }
            }
        }
        graph.count_holders();
        graph
    }

    fn count_holders(&mut self) {
        for (number, slots) in (0..).zip(&mut self.people) {
            slots.sort_unstable();
            slots.dedup();
            let mut columns: Vec<u8> = Vec::with_capacity(slots.len());
            for slot in slots.iter() {
                self.holders[*slot as usize].push(number);
                columns.push(self.slot_column[*slot as usize]);
            }
            columns.sort_unstable();
            columns.dedup();
            columns.iter().for_each(|column| self.column_people[usize::from(*column)] += 1);
        }
    }

    fn add_node(&mut self, value: u64) -> u32 {
        self.node_value.push(value);
        self.node_slots.push(Vec::new());
        self.node_value.len() as u32 - 1
    }

    fn add_slot(&mut self, column: u8, node: u32) -> u32 {
        let slot = self.slot_node.len() as u32;
        self.slot_column.push(column);
        self.slot_node.push(node);
        self.holders.push(Vec::new());
        self.node_slots[node as usize].push(slot);
        slot
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.node_value.len()
    }

    /// The column of a slot.
    pub fn column(&self, slot: u32) -> usize {
        usize::from(self.slot_column[slot as usize])
    }

    /// How many people have the slot.
    pub fn count(&self, slot: u32) -> usize {
        self.holders[slot as usize].len()
    }

    /// How often the node stands in any column.
    pub fn node_count(&self, node: u32) -> usize {
        self.node_slots[node as usize].iter().map(|slot| self.count(*slot)).sum()
    }

    /// The slot of a node in a column.
    pub fn slot_of(&self, node: u32, column: usize) -> Option<u32> {
        let mut slots = self.node_slots[node as usize].iter().copied();
        slots.find(|slot| self.column(*slot) == column)
    }
}

/// For each column the first of those it shares values with, in either graph: values of two
/// spaces are never the same.
pub fn spaces(columns: usize, graphs: [&Graph; 2]) -> Vec<usize> {
    let mut space: Vec<usize> = (0..columns).collect();
    for graph in graphs {
        for slots in &graph.node_slots {
            let places = slots.iter().map(|slot| space[graph.column(*slot)]);
            let Some(first) = places.clone().min() else { continue };
            let joined: Vec<usize> = places.filter(|it| *it != first).collect();
            for other in joined {
                space.iter_mut().filter(|it| **it == other).for_each(|it| *it = first);
            }
        }
    }
    space
}

#[cfg(test)]
pub(crate) mod tests {
    use record::{BlockingToken, Token};

    use super::*;

    fn schema() -> Schema {
        let text = "schema = \"test\"\nversion = 1\n[[field]]\nname = \"zip\"\n\
                    kind = \"postal_code\"\ntokens = [\"exact\"]\n\
                    [[blocking]]\nname = \"zip\"\nparts = [\"zip\"]";
        Schema::parse(text).unwrap()
    }

    /// The graph of people with the given values in one column.
    pub(crate) fn graph_of(people: &[&[u64]]) -> Graph {
        let record = |values: &&[u64]| {
            let tokens = values.iter().map(|value| BlockingToken { key: 0, token: Token(*value) });
            EncodedRecord { fields: vec![None], blocking: tokens.collect() }
        };
        let records: Vec<_> = people.iter().map(record).collect();
        let owners: Vec<u32> = (0..people.len() as u32).collect();
        let columns = [Column::Blocking(0)];
        Graph::new(&schema(), &columns, &records, &owners, &RarityTable::default())
    }

    #[test]
    fn people_share_the_nodes_of_equal_values() {
        let graph = graph_of(&[&[5, 7], &[7], &[]]);
        assert_eq!(graph.people, [vec![0, 1], vec![1], vec![]]);
        assert_eq!(graph.holders, [vec![0], vec![0, 1]]);
        assert_eq!(graph.column_people, [2]);
        assert_eq!((graph.node_value[1], graph.node_count(1)), (7, 2));
    }

    #[test]
    fn columns_that_share_values_are_one_space() {
        let mut graph = graph_of(&[&[5], &[7]]);
        assert_eq!(spaces(3, [&graph, &graph]), [0, 1, 2]);
        let slot = graph.add_slot(2, 0);
        graph.holders[slot as usize].push(1);
        assert_eq!(spaces(3, [&graph, &graph]), [0, 1, 0]);
    }
}
