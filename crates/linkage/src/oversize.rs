//! Divides a component that is too large by raising its own edge cut-off.

use crate::weight::FixedWeight;

/// A part of an oversize component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Ascending.
    pub(crate) members: Vec<usize>,
    /// The smallest weight among the edges that hold the part together; `None` for a part that
    /// needs no edge.
    pub(crate) cut_off: Option<FixedWeight>,
}

/// Divides the members `0..bound.len()` into parts of at most `limit` members.
///
/// Every part is held together by the lowest cut-off at which it fits: edges are taken from the
/// strongest down, equal weights at once, and a part is closed as soon as the next weight would
/// make it too large. Members bound together (`bound[i]` is the smallest of them) are never
/// separated, even beyond the limit.
pub(crate) fn split(
    bound: &[usize],
    edges: &mut [(FixedWeight, usize, usize)],
    limit: usize,
) -> Vec<Part> {
    let mut forest = Forest::new(bound);
    edges.sort_unstable_by(|l, r| r.0.cmp(&l.0).then((l.1, l.2).cmp(&(r.1, r.2))));
    for level in edges.chunk_by(|l, r| l.0 == r.0) {
        forest.join_level(level, limit);
    }
    forest.parts()
}

/// Union-find whose sets can be closed.
struct Forest {
    parent: Vec<usize>,
    size: Vec<usize>,
    closed: Vec<bool>,
    cut_off: Vec<Option<FixedWeight>>,
}

impl Forest {
    fn new(bound: &[usize]) -> Self {
        let mut size = vec![0; bound.len()];
        bound.iter().for_each(|first| size[*first] += 1);
        Self {
            parent: bound.to_vec(),
            size,
            closed: vec![false; bound.len()],
            cut_off: vec![None; bound.len()],
        }
    }

    /// Joins what edges of one weight connect, unless a closed set is among it or it gets too
    /// large; then all of the sets concerned are closed as they were.
    fn join_level(&mut self, level: &[(FixedWeight, usize, usize)], limit: usize) {
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for &(_, left, right) in level {
            let (a, b) = (root(&mut self.parent, left), root(&mut self.parent, right));
            if a != b {
                pairs.push((a.min(b), a.max(b)));
            }
        }
        for joined in connected(&pairs) {
            let size: usize = joined.iter().map(|root| self.size[*root]).sum();
            if size > limit || joined.iter().any(|root| self.closed[*root]) {
                joined.iter().for_each(|root| self.closed[*root] = true);
                continue;
            }
            let first = joined[0];
            joined.iter().for_each(|root| self.parent[*root] = first);
            self.size[first] = size;
            self.cut_off[first] = Some(level[0].0);
        }
    }

    fn parts(mut self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut place = vec![None; self.parent.len()];
        for member in 0..self.parent.len() {
            let root = root(&mut self.parent, member);
            let at = *place[root].get_or_insert_with(|| {
                parts.push(Part { members: Vec::new(), cut_off: self.cut_off[root] });
                parts.len() - 1
            });
            parts[at].members.push(member);
        }
        parts
    }
}

/// The first member of the set that `at` is in.
fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The sets of numbers that pairs connect, each ascending, by first number.
fn connected(pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut members: Vec<usize> = pairs.iter().flat_map(|(l, r)| [*l, *r]).collect();
    members.sort_unstable();
    members.dedup();
    let place = |member| members.binary_search(&member).expect("a pair's member is listed");
    let mut label: Vec<usize> = (0..members.len()).collect();
    for &(left, right) in pairs {
        let (a, b) = (root(&mut label, place(left)), root(&mut label, place(right)));
        label[a.max(b)] = a.min(b);
    }
    let mut sets: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for (at, member) in members.iter().enumerate() {
        sets[root(&mut label, at)].push(*member);
    }
    sets.retain(|set| !set.is_empty());
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(bound: &[usize], edges: &[(i32, usize, usize)], limit: usize) -> Vec<Vec<usize>> {
        let mut edges: Vec<_> = edges.iter().map(|&(w, l, r)| (FixedWeight(w), l, r)).collect();
        split(bound, &mut edges, limit).into_iter().map(|part| part.members).collect()
    }

    #[test]
    fn a_part_is_held_by_the_lowest_cut_off_that_fits() {
        let chain = [(9, 0, 1), (5, 1, 2), (9, 2, 3), (8, 3, 4)];
        let all: Vec<usize> = (0..5).collect();
        assert_eq!(parts(&all, &chain, 5), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(parts(&all, &chain, 3), [vec![0, 1], vec![2, 3, 4]]);
        assert_eq!(parts(&all, &chain, 2), [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn equal_weights_join_together_or_not_at_all() {
        let star = [(7, 0, 1), (7, 0, 2), (7, 0, 3)];
        assert_eq!(parts(&[0, 1, 2, 3], &star, 3), [[0], [1], [2], [3]]);
    }

    #[test]
    fn bound_members_stay_together_beyond_the_limit() {
        assert_eq!(parts(&[0, 0, 0, 3], &[(9, 2, 3)], 2), [vec![0, 1, 2], vec![3]]);
    }
}
