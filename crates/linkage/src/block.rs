//! The blocking index: which nodes hold which blocking token, with a cap on the final counts.

mod arena;

use hashbrown::HashTable;
use record::{BlockingToken, Token};

use crate::index::NodeId;
use arena::Arena;

/// A distinct blocking token, by its place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct BlockId(u32);

/// A token and the nodes that hold it.
#[derive(Debug, Clone, Copy)]
struct Block {
    token: Token,
    /// The only node; where there are several, the place where their list starts.
    at: NodeId,
    n_nodes: u32,
}

/// The tokens that a node holds: where their list starts, and its length.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    start: u32,
    n_blocks: u32,
}

/// Postings of blocking tokens. A token held by more nodes than the cap gives no candidates,
/// whatever the order in which the nodes came.
pub(crate) struct Blocking {
    /// By blocking key: most nodes that a token may have.
    caps: Vec<usize>,
    blocks: Vec<Block>,
    /// By block: the number of its token's key.
    keys: Vec<u8>,
    table: HashTable<u32>,
    free: Vec<BlockId>,
    lists: Arena<NodeId>,
    /// By node.
    held: Vec<Held>,
    held_lists: Arena<BlockId>,
    /// The blocks of the node that is being entered.
    entering: Vec<BlockId>,
}

/// A token whose count crossed the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Crossing(BlockId);

impl Blocking {
    /// `caps` has a place per blocking key.
    pub(crate) fn new(caps: Vec<usize>) -> Self {
        Self {
            caps,
            blocks: Vec::new(),
            keys: Vec::new(),
            table: HashTable::new(),
            free: Vec::new(),
            lists: Arena::new(),
            held: Vec::new(),
            held_lists: Arena::new(),
            entering: Vec::new(),
        }
    }

    /// Enters `node`; `crossed` hears of every token that this takes over the cap.
    pub(crate) fn insert(
        &mut self,
        node: NodeId,
        tokens: &[BlockingToken],
        mut crossed: impl FnMut(Crossing),
    ) {
        let mut blocks = std::mem::take(&mut self.entering);
        blocks.extend(tokens.iter().map(|token| self.block(*token)));
        for block in &blocks {
            self.enter(*block, node);
            if self.count(*block) == self.cap(*block) + 1 {
                crossed(Crossing(*block));
            }
        }
        if self.held.len() <= node.place() {
            self.held.resize(node.place() + 1, Held::default());
        }
        if !blocks.is_empty() {
            let start = self.held_lists.add(&blocks);
            self.held[node.place()] = Held { start, n_blocks: blocks.len() as u32 };
        }
        blocks.clear();
        self.entering = blocks;
    }

    /// Takes `node` out; `crossed` hears of every token that this takes back under the cap.
    pub(crate) fn remove(&mut self, node: NodeId, mut crossed: impl FnMut(Crossing)) {
        let blocks = self.held_by(node).to_vec();
        for block in &blocks {
            self.leave(*block, node);
            if self.count(*block) == self.cap(*block) {
                crossed(Crossing(*block));
            }
        }
        let held = std::mem::take(&mut self.held[node.place()]);
        if !blocks.is_empty() {
            self.held_lists.forget(held.start, blocks.len());
        }
    }

    /// Calls `found` with every other node that shares a token under the cap with `node`, once
    /// for each such token.
    pub(crate) fn candidates(&self, node: NodeId, mut found: impl FnMut(NodeId)) {
        for block in self.held_by(node) {
            if self.gives_candidates(*block) {
                let others = self.nodes(*block).iter().filter(|other| **other != node);
                others.for_each(|other| found(*other));
            }
        }
    }

    /// Whether `node` shares a token under the cap with any other.
    pub(crate) fn reaches(&self, node: NodeId) -> bool {
        self.held_by(node).iter().any(|block| self.gives_candidates(*block))
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
        let others = self.held_by(right);
        self.held_by(left)
            .iter()
            .filter(|block| others.contains(block))
            .map(|block| (self.keys[block.0 as usize], self.is_over(*block)))
    }

    /// The nodes that hold the token of a crossing, and whether it is over the cap now.
    pub(crate) fn crossing(&self, Crossing(block): Crossing) -> (&[NodeId], bool) {
        let nodes = self.nodes(block);
        (nodes, self.is_over(block))
    }

    /// Every token that at least two nodes hold, with its nodes, in no meaningful order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (BlockingToken, &[NodeId])> {
        let blocks = self.blocks.iter().zip(&self.keys).enumerate();
        blocks.filter(|(_, (block, _))| block.n_nodes > 1).map(|(place, (block, key))| {
            let token = BlockingToken { key: *key, token: block.token };
            (token, self.nodes(BlockId(place as u32)))
        })
    }

    /// Most nodes that a token of blocking key `key` may have.
    pub(crate) fn cap_of_key(&self, key: u8) -> usize {
        self.caps[usize::from(key)]
    }

    fn cap(&self, BlockId(block): BlockId) -> usize {
        self.cap_of_key(self.keys[block as usize])
    }

    fn gives_candidates(&self, block: BlockId) -> bool {
        self.count(block) > 1 && !self.is_over(block)
    }

    fn is_over(&self, block: BlockId) -> bool {
        self.count(block) > self.cap(block)
    }

    fn count(&self, BlockId(block): BlockId) -> usize {
        self.blocks[block as usize].n_nodes as usize
    }

    fn nodes(&self, BlockId(block): BlockId) -> &[NodeId] {
        match &self.blocks[block as usize] {
            Block { n_nodes: 0, .. } => &[],
            Block { n_nodes: 1, at, .. } => std::slice::from_ref(at),
            Block { n_nodes, at, .. } => self.lists.list(at.0, *n_nodes as usize),
        }
    }

    fn held_by(&self, node: NodeId) -> &[BlockId] {
        match self.held[node.place()] {
            Held { n_blocks: 0, .. } => &[],
            Held { start, n_blocks } => self.held_lists.list(start, n_blocks as usize),
        }
    }

    /// The block of a token, a new one where no node holds it yet.
    fn block(&mut self, BlockingToken { key, token }: BlockingToken) -> BlockId {
        let hash = hash(key, token);
        let is_same = |place: &u32| {
            let place = *place as usize;
            self.blocks[place].token == token && self.keys[place] == key
        };
        if let Some(place) = self.table.find(hash, is_same) {
            return BlockId(*place);
        }
        let block = Block { token, at: NodeId::default(), n_nodes: 0 };
        let id = match self.free.pop() {
            Some(id) => {
                (self.blocks[id.0 as usize], self.keys[id.0 as usize]) = (block, key);
                id
            }
            None => {
                self.blocks.push(block);
                self.keys.push(key);
                BlockId(u32::try_from(self.keys.len() - 1).expect("fewer than 2^32 tokens"))
            }
        };
        let Self { table, blocks, keys, .. } = self;
        let hash_of = |&place: &u32| self::hash(keys[place as usize], blocks[place as usize].token);
        table.insert_unique(hash, id.0, hash_of);
        id
    }

    fn enter(&mut self, BlockId(block): BlockId, node: NodeId) {
        let block = &mut self.blocks[block as usize];
        block.at = match block.n_nodes {
            0 => node,
            1 => NodeId(self.lists.add(&[block.at, node])),
            n_nodes => NodeId(self.lists.push(block.at.0, n_nodes as usize, node)),
        };
        block.n_nodes += 1;
    }

    fn leave(&mut self, id: BlockId, node: NodeId) {
        let block = &mut self.blocks[id.0 as usize];
        if block.n_nodes > 1 {
            let (start, n_nodes) = (block.at.0, block.n_nodes as usize);
            let listed = self.lists.list(start, n_nodes).iter().position(|other| *other == node);
            let place = listed.expect("a node is listed under the tokens that it holds");
            let start = self.lists.remove(start, n_nodes, place);
            block.n_nodes -= 1;
            block.at = NodeId(start);
            if block.n_nodes == 1 {
                block.at = self.lists.list(start, 1)[0];
                self.lists.forget(start, 1);
            }
            return;
        }
        let hash = hash(self.keys[id.0 as usize], block.token);
        *block = Block { token: Token(0), at: NodeId::default(), n_nodes: 0 };
        let entry = self.table.find_entry(hash, |&place| place == id.0);
        entry.expect("a held token is in the table").remove();
        self.free.push(id);
    }
}

/// Tokens are keyed hashes already; only the key has to be mixed in.
fn hash(key: u8, Token(token): Token) -> u64 {
    (token ^ u64::from(key) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15)
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
        let mut blocking = Blocking::new(vec![2]);
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
        let mut blocking = Blocking::new(vec![5]);
        for round in 0..4 {
            blocking.insert(NodeId(0), &[token(round), token(round + 100)], |_| ());
            blocking.insert(NodeId(1), &[token(round)], |_| ());
            assert_eq!(candidates(&blocking, 1), [0]);
            blocking.remove(NodeId(0), |_| ());
            blocking.remove(NodeId(1), |_| ());
        }
        assert_eq!(blocking.blocks.len(), 2);
    }
}
