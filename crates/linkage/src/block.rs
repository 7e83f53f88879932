//! The blocking index: which nodes hold which blocking token, with a cap on the final counts.

use hashbrown::HashTable;
use record::{BlockingToken, Token};

use crate::index::NodeId;

/// A distinct blocking token, by its place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct BlockId(u32);

/// The nodes that hold a token: none, one (kept in place), or a list of its own.
#[derive(Debug, Clone, Copy)]
enum Posting {
    Empty,
    One(NodeId),
    Many(u32),
}

/// Postings of blocking tokens. A token held by more nodes than the cap gives no candidates,
/// whatever the order in which the nodes came.
pub(crate) struct Blocking {
    cap: usize,
    tokens: Vec<BlockingToken>,
    postings: Vec<Posting>,
    table: HashTable<u32>,
    free_blocks: Vec<BlockId>,
    lists: Vec<Vec<NodeId>>,
    free_lists: Vec<u32>,
    held: Vec<Box<[BlockId]>>,
}

/// A token whose count crossed the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Crossing(BlockId);

impl Blocking {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            cap,
            tokens: Vec::new(),
            postings: Vec::new(),
            table: HashTable::new(),
            free_blocks: Vec::new(),
            lists: Vec::new(),
            free_lists: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Enters `node`; `crossed` hears of every token that this takes over the cap.
    pub(crate) fn insert(
        &mut self,
        node: NodeId,
        tokens: &[BlockingToken],
        mut crossed: impl FnMut(Crossing),
    ) {
        let blocks: Box<[BlockId]> = tokens.iter().map(|token| self.block(*token)).collect();
        for block in &blocks {
            self.enter(*block, node);
            if self.nodes(*block).len() == self.cap + 1 {
                crossed(Crossing(*block));
            }
        }
        if self.held.len() <= node.place() {
            self.held.resize_with(node.place() + 1, Box::default);
        }
        self.held[node.place()] = blocks;
    }

    /// Takes `node` out; `crossed` hears of every token that this takes back under the cap.
    pub(crate) fn remove(&mut self, node: NodeId, mut crossed: impl FnMut(Crossing)) {
        for block in std::mem::take(&mut self.held[node.place()]) {
            self.leave(block, node);
            if self.nodes(block).len() == self.cap {
                crossed(Crossing(block));
            }
        }
    }

    /// Calls `found` with every other node that shares a token under the cap with `node`, once
    /// for each such token.
    pub(crate) fn candidates(&self, node: NodeId, mut found: impl FnMut(NodeId)) {
        for block in &self.held[node.place()] {
            let nodes = self.nodes(*block);
            if nodes.len() <= self.cap {
                nodes.iter().filter(|other| **other != node).for_each(|other| found(*other));
            }
        }
    }

    /// Whether two nodes share a token under the cap.
    pub(crate) fn supports(&self, left: NodeId, right: NodeId) -> bool {
        self.shared(left, right).any(|(_, is_over)| !is_over)
    }

    /// The keys of the tokens that two nodes share, and whether each token is over the cap.
    pub(crate) fn shared(
        &self,
        left: NodeId,
        right: NodeId,
    ) -> impl Iterator<Item = (u8, bool)> + '_ {
        let others = &self.held[right.place()];
        self.held[left.place()]
            .iter()
            .filter(|block| others.contains(block))
            .map(|block| (self.tokens[block.0 as usize].key, self.nodes(*block).len() > self.cap))
    }

    /// The nodes that hold the token of a crossing, and whether it is over the cap now.
    pub(crate) fn crossing(&self, Crossing(block): Crossing) -> (&[NodeId], bool) {
        let nodes = self.nodes(block);
        (nodes, nodes.len() > self.cap)
    }

    /// Every token that at least two nodes hold, with its nodes, in no meaningful order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (BlockingToken, &[NodeId])> {
        self.tokens
            .iter()
            .enumerate()
            .map(|(place, token)| (*token, self.nodes(BlockId(place as u32))))
            .filter(|(_, nodes)| nodes.len() > 1)
    }

    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    fn nodes(&self, BlockId(block): BlockId) -> &[NodeId] {
        match &self.postings[block as usize] {
            Posting::Empty => &[],
            Posting::One(node) => std::slice::from_ref(node),
            Posting::Many(list) => &self.lists[*list as usize],
        }
    }

    fn block(&mut self, token: BlockingToken) -> BlockId {
        let hash = hash(token);
        let found = self.table.find(hash, |&place| self.tokens[place as usize] == token);
        if let Some(place) = found {
            return BlockId(*place);
        }
        let block = self.free_blocks.pop().unwrap_or_else(|| {
            self.tokens.push(token);
            self.postings.push(Posting::Empty);
            BlockId(u32::try_from(self.tokens.len() - 1).expect("fewer than 2^32 tokens"))
        });
        self.tokens[block.0 as usize] = token;
        let Self { table, tokens, .. } = self;
        table.insert_unique(hash, block.0, |&place| self::hash(tokens[place as usize]));
        block
    }

    fn enter(&mut self, BlockId(block): BlockId, node: NodeId) {
        let posting = &mut self.postings[block as usize];
        match posting {
            Posting::Empty => *posting = Posting::One(node),
            Posting::One(other) => {
                let pair = vec![*other, node];
                let list = match self.free_lists.pop() {
                    Some(list) => {
                        self.lists[list as usize] = pair;
                        list
                    }
                    None => {
                        self.lists.push(pair);
                        self.lists.len() as u32 - 1
                    }
                };
                *posting = Posting::Many(list);
            }
            Posting::Many(list) => self.lists[*list as usize].push(node),
        }
    }

    fn leave(&mut self, block: BlockId, node: NodeId) {
        let posting = &mut self.postings[block.0 as usize];
        match posting {
            Posting::Many(list) => {
                let place = *list;
                let nodes = &mut self.lists[place as usize];
                nodes.retain(|other| *other != node);
                if let [last] = nodes[..] {
                    *posting = Posting::One(last);
                    self.lists[place as usize] = Vec::new();
                    self.free_lists.push(place);
                }
            }
            Posting::One(_) | Posting::Empty => {
                *posting = Posting::Empty;
                let token = &mut self.tokens[block.0 as usize];
                let hash = hash(*token);
                token.token = Token(0);
                let entry = self.table.find_entry(hash, |&place| place == block.0);
                entry.expect("a held token is in the table").remove();
                self.free_blocks.push(block);
            }
        }
    }
}

/// Tokens are keyed hashes already; only the key has to be mixed in.
fn hash(token: BlockingToken) -> u64 {
    (token.token.0 ^ u64::from(token.key) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(value: u64) -> BlockingToken {
        BlockingToken { key: 0, token: Token(value) }
    }

    fn candidates(blocking: &Blocking, node: u32) -> Vec<u32> {
        let mut found = Vec::new();
        blocking.candidates(NodeId(node), |other| found.push(other.0));
        found.sort_unstable();
        found
    }

    #[test]
    fn a_token_over_the_cap_gives_no_candidates_until_it_shrinks() {
        let mut blocking = Blocking::new(2);
        let mut crossings = Vec::new();
        for node in 0..2 {
            blocking.insert(NodeId(node), &[token(7)], |crossing| crossings.push(crossing));
        }
        assert_eq!((candidates(&blocking, 0), crossings.len()), (vec![1], 0));
        blocking.insert(NodeId(2), &[token(7), token(8)], |crossing| crossings.push(crossing));
        assert_eq!((candidates(&blocking, 0), crossings.len()), (vec![], 1));
        assert!(blocking.crossing(crossings[0]).1);
        blocking.remove(NodeId(1), |crossing| crossings.push(crossing));
        assert_eq!((candidates(&blocking, 0), crossings.len()), (vec![2], 2));
        assert!(blocking.supports(NodeId(0), NodeId(2)));
    }

    #[test]
    fn places_of_forgotten_tokens_are_reused() {
        let mut blocking = Blocking::new(5);
        for round in 0..4 {
            blocking.insert(NodeId(0), &[token(round), token(round + 100)], |_| ());
            blocking.insert(NodeId(1), &[token(round)], |_| ());
            assert_eq!(candidates(&blocking, 1), [0]);
            blocking.remove(NodeId(0), |_| ());
            blocking.remove(NodeId(1), |_| ());
        }
        assert_eq!(blocking.tokens.len(), 2);
    }
}
