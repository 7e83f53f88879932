//! Seed and extend: aligned values match people, matched people align their other values, and
//! so on until nothing changes (after Narayanan and Shmatikov 2009, on people and their values).

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{align::Alignment, profile::Profiler};

/// Values of more people than this share of the population do not look for candidates.
const CANDIDATE_SHARE: f32 = 0.03;
/// Candidates of a participant that are scored in full.
const CANDIDATES: usize = 16;
/// What a column counts in which a participant and a candidate differ, in nats.
const DISAGREEMENT: f32 = 1.5;
/// Least weight by which a best candidate leads, in nats.
const MARGIN: f32 = 4.0;
/// A claim that leads by this much, in nats, takes its person from the other participants.
const SURE: f32 = 16.0;
/// Least share of a participant's weight on which it agrees with its candidate.
const AGREEMENT: f32 = 0.5;
/// The margins of profiles to start with, in nats, from careful to bold.
const STARTS: [f32; 3] = [6.0, 2.0, 0.0];
/// A start this good, as [`Outcome::coherence`], needs no other.
const GOOD_START: f64 = 0.85;
/// Rounds without a change worth mentioning that end a start.
const STANDING: u32 = 3;
/// Most rounds of a start.
const ROUNDS: usize = 12;
/// Values of fewer people say nothing of a start's coherence.
const TELLING_COUNT: usize = 5;

/// A participant taken for a person of the population file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The person: a place in the population file.
    pub person: u32,
    /// By how much it leads over the next best person, in nats.
    pub margin: f32,
}

/// What an attack has come to.
pub struct Outcome {
    /// For each participant the person it is taken for.
    pub claims: Vec<Option<Claim>>,
    /// The values as they were aligned to get there.
    pub alignment: Alignment,
    /// Share of participants that are claimed, times the share of their votes on values that are
    /// not outvoted: how well it all fits together, 0 to 1. The attacker sees it, too.
    pub coherence: f64,
}

/// The attack on the equality graph.
pub struct Propagation<'a> {
    /// The two graphs.
    pub graphs: Profiler<'a>,
    /// Participants whose person is known beforehand.
    pub seeds: Vec<(u32, u32)>,
}

/// A value of a participant that is aligned.
struct Known {
    column: usize,
    /// The slot of the population.
    slot: u32,
    weight: f32,
}

/// Scores of candidates while they are added up; all 0 in between.
struct Scratch {
    scores: Vec<f32>,
    touched: Vec<u32>,
}

impl Propagation<'_> {
    /// The most coherent outcome of several starts.
    pub fn run(&self) -> Outcome {
        let mut best = self.run_from(STARTS[0]);
        for start in &STARTS[1..] {
            if best.coherence >= GOOD_START {
                break;
            }
            let next = self.run_from(*start);
            if next.coherence > best.coherence {
                best = next;
            }
        }
        best
    }

    /// One start: values are aligned by profiles with `margin` until half of the participants
    /// are matched, then by the matches alone.
    fn run_from(&self, margin: f32) -> Outcome {
        let n_people = self.graphs.stored.people.len();
        let n_nodes = self.graphs.stored.nodes();
        let mut claims: Vec<Option<Claim>> = vec![None; n_people];
        self.plant(&mut claims);
        let mut alignment = Alignment::empty(n_nodes);
        let mut coherence = 0.0;
        let (mut matched, mut standing) = (0, 0);
        for _ in 0..ROUNDS {
            let mut next = if matched <= n_people / 2 {
                self.graphs.align(&alignment, margin)
            } else {
                Alignment::empty(n_nodes)
            };
            coherence = self.vote(&claims, &mut next);
            alignment = next;
            claims = self.match_people(&alignment, &claims);
            self.plant(&mut claims);
            let now = claims.iter().flatten().count();
            standing = if now.abs_diff(matched) * 500 <= n_people { standing + 1 } else { 0 };
            if standing == STANDING {
                break;
            }
            matched = now;
        }
        let share = claims.iter().flatten().count() as f64 / n_people.max(1) as f64;
        Outcome { claims, alignment, coherence: coherence * share }
    }

    fn plant(&self, claims: &mut [Option<Claim>]) {
        for (participant, person) in &self.seeds {
            claims[*participant as usize] = Some(Claim { person: *person, margin: f32::INFINITY });
        }
    }

    /// The person that each participant is taken for under `alignment`. A value for which nobody
    /// but the participant's own match of `before` vouches does not count, or errors would
    /// confirm themselves.
    pub fn match_people(
        &self,
        alignment: &Alignment,
        before: &[Option<Claim>],
    ) -> Vec<Option<Claim>> {
        let n_people = self.graphs.population.people.len();
        let scratch = || Scratch { scores: vec![0.0; n_people], touched: Vec::new() };
        let mut taken: Vec<Option<usize>> = vec![None; n_people];
        for (participant, claim) in before.iter().enumerate() {
            if let Some(claim) = claim.filter(|claim| claim.margin >= SURE) {
                taken[claim.person as usize] = Some(participant);
            }
        }
        let mut claims: Vec<Option<Claim>> = before
            .par_iter()
            .enumerate()
            .map_init(scratch, |scratch, (participant, before)| {
                let known = self.known(participant, alignment, *before);
                let free = |person: u32| taken[person as usize].is_none_or(|it| it == participant);
                self.best_candidate(&known, free, scratch)
            })
            .collect();
        keep_best(&mut claims);
        claims
    }

    fn known(&self, person: usize, alignment: &Alignment, before: Option<Claim>) -> Vec<Known> {
        let (stored, population) = (self.graphs.stored, self.graphs.population);
        let known = |slot: &u32| {
            let node = stored.slot_node[*slot as usize];
            let column = stored.column(*slot);
            let found = population.slot_of(alignment.to[node as usize]?, column)?;
            let is_own = before.is_some_and(|claim| {
                population.people[claim.person as usize].binary_search(&found).is_ok()
            });
            if alignment.votes[node as usize] <= u32::from(is_own) {
                return None;
            }
            let share = population.count(found) as f32 / population.people.len() as f32;
            Some(Known { column, slot: found, weight: -share.ln() })
        };
        let mut known: Vec<Known> = stored.people[person].iter().filter_map(known).collect();
        known.sort_by_key(|it| (it.column, Reverse(it.slot)));
        known
    }

    fn best_candidate(
        &self,
        known: &[Known],
        free: impl Fn(u32) -> bool,
        scratch: &mut Scratch,
    ) -> Option<Claim> {
        let candidates = self.candidates(known, scratch).into_iter().filter(|it| free(*it));
        let scored = candidates.map(|person| (self.score(known, person), person));
        let mut scored: Vec<((f32, f32), u32)> = scored.collect();
        scored.sort_by(|a, b| b.0.0.total_cmp(&a.0.0).then(a.1.cmp(&b.1)));
        let ((best, agreed), person) = *scored.first()?;
        let margin = best - scored.get(1).map_or(0.0, |second| second.0.0.max(0.0));
        let enough = (self.graphs.population.people.len() as f32).ln();
        (margin >= MARGIN && agreed >= AGREEMENT && best >= enough)
            .then_some(Claim { person, margin })
    }

    /// The people who share the most of the rare values.
    fn candidates(&self, known: &[Known], scratch: &mut Scratch) -> Vec<u32> {
        let population = self.graphs.population;
        let most = (population.people.len() as f32 * CANDIDATE_SHARE) as usize;
        for Known { slot, weight, .. } in known {
            if population.count(*slot) > most {
                continue;
            }
            for person in &population.holders[*slot as usize] {
                let score = &mut scratch.scores[*person as usize];
                if *score == 0.0 {
                    scratch.touched.push(*person);
                }
                *score += weight;
            }
        }
        let found = scratch.touched.iter().map(|it| (scratch.scores[*it as usize], *it));
        let mut found: Vec<(f32, u32)> = found.collect();
        scratch.touched.drain(..).for_each(|it| scratch.scores[it as usize] = 0.0);
        if found.len() > CANDIDATES {
            let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            found.select_nth_unstable_by(CANDIDATES, order);
            found.truncate(CANDIDATES);
        }
        found.into_iter().map(|(_, person)| person).collect()
    }

    /// The weight of a candidate, and the share of the compared weight that agrees. In a column
    /// of several values one that agrees is enough.
    fn score(&self, known: &[Known], person: u32) -> (f32, f32) {
        let population = self.graphs.population;
        let slots = &population.people[person as usize];
        let (mut score, mut agreed, mut compared) = (0.0, 0.0, 0.0);
        for column in known.chunk_by(|a, b| a.column == b.column) {
            let weight = |it: &Known| slots.binary_search(&it.slot).is_ok().then_some(it.weight);
            if let Some(weight) = column.iter().filter_map(weight).reduce(f32::max) {
                score += weight;
                agreed += weight;
                compared += weight;
            } else if slots.iter().any(|slot| population.column(*slot) == column[0].column) {
                score -= DISAGREEMENT;
                compared += column[0].weight;
            }
        }
        (score, if compared > 0.0 { agreed / compared } else { 0.0 })
    }

    /// Aligns values by the matches so far: values of one column of a participant and its person
    /// vote for each other. Returns the share of votes that are not outvoted.
    fn vote(&self, claims: &[Option<Claim>], alignment: &mut Alignment) -> f64 {
        let (stored, population) = (self.graphs.stored, self.graphs.population);
        let mut votes: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for (slots, claim) in stored.people.iter().zip(claims) {
            let Some(claim) = claim else { continue };
            let theirs = &population.people[claim.person as usize];
            for slot in slots {
                let column = stored.column(*slot);
                for other in theirs.iter().filter(|other| population.column(**other) == column) {
                    let node = stored.slot_node[*slot as usize];
                    let pair = (node, population.slot_node[*other as usize]);
                    *votes.entry(pair).or_default() += 1;
                }
            }
        }
        let mut of_node: FxHashMap<u32, (u32, u32, u32)> = FxHashMap::default();
        for ((node, other), count) in votes {
            let (total, most, best) = of_node.entry(node).or_default();
            *total += count;
            if (count, other) > (*most, *best) {
                (*most, *best) = (count, other);
            }
        }
        let (mut heard, mut all) = (0, 0);
        for (node, (total, most, best)) in of_node {
            if 2 * most > total {
                alignment.set(node, best, most);
            }
            if stored.node_count(node) >= TELLING_COUNT {
                heard += most;
                all += total;
            }
        }
        if all == 0 { 0.0 } else { f64::from(heard) / f64::from(all) }
    }
}

/// Where several participants claim one person, the surest keeps the claim.
fn keep_best(claims: &mut [Option<Claim>]) {
    let mut best: FxHashMap<u32, f32> = FxHashMap::default();
    for claim in claims.iter().flatten() {
        let margin = best.entry(claim.person).or_insert(claim.margin);
        *margin = margin.max(claim.margin);
    }
    for claim in claims.iter_mut() {
        *claim = claim.filter(|it| it.margin >= best[&it.person]);
    }
}
