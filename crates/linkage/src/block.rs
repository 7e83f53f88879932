//! The blocking index: which nodes hold which blocking token, with a cap on the final counts.

mod arena;
mod second;

use hashbrown::HashTable;
use record::{BlockingToken, Schema, Token};

use crate::{
    index::{Index, NodeId},
    policy::Policy,
};
use arena::Arena;
use second::SECOND;

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

/// What the schema and the policy say of a blocking key.
struct KeyRule {
    /// Most nodes that a token may have.
    cap: usize,
    /// The fields by which a token over the cap is divided into second tokens.
    divided_by: Vec<usize>,
}

/// Postings of blocking tokens. A token held by more nodes than the cap gives no candidates,
/// whatever the order in which the nodes came; its second tokens do, up to the same cap.
pub(crate) struct Blocking {
    /// By blocking key.
    rules: Vec<KeyRule>,
    blocks: Vec<Block>,
    /// By block: the number of its token's key, with [`SECOND`] in a second token's.
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
    pub(crate) fn new(schema: &Schema, policy: &Policy) -> Self {
        Self {
            rules: KeyRule::of_schema(schema, policy),
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

    /// Enters `node`, whose values are in `index`; `crossed` hears of every token that this takes
    /// over the cap.
    pub(crate) fn insert(
        &mut self,
        node: NodeId,
        tokens: &[BlockingToken],
        index: &Index,
        mut crossed: impl FnMut(Crossing),
    ) {
        if self.held.len() <= node.place() {
            self.held.resize(node.place() + 1, Held::default());
        }
        let mut blocks = std::mem::take(&mut self.entering);
        blocks.extend(tokens.iter().map(|token| self.block(*token)));
        for place in 0..blocks.len() {
            let block = blocks[place];
            self.enter(block, node, &mut crossed);
            if self.is_over(block) {
                self.divide(block, node, index, &mut blocks, &mut crossed);
            }
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

    /// Every other node that shares a token under the cap with `node`, once for each such token.
    pub(crate) fn candidates(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let blocks = self.held_by(node).iter().filter(|block| self.gives_candidates(**block));
        blocks.flat_map(|block| self.nodes(*block)).copied().filter(move |other| *other != node)
    }

    /// Whether two nodes share a token under the cap.
    pub(crate) fn supports(&self, left: NodeId, right: NodeId) -> bool {
        self.shared(left, right).any(|(_, is_over)| !is_over)
    }

    /// The keys of the tokens that two nodes share, of second tokens too, and whether each token
    /// is over the cap.
    pub(crate) fn shared(
        &self,
        left: NodeId,
        right: NodeId,
    ) -> impl Iterator<Item = (u8, bool)> + '_ {
        let others = self.held_by(right);
        self.held_by(left)
            .iter()
            .filter(|block| others.contains(block))
            .map(|block| (self.keys[block.0 as usize] & !SECOND, self.is_over(*block)))
    }

    /// The nodes that hold the token of a crossing, and whether it is over the cap now.
    pub(crate) fn crossing(&self, Crossing(block): Crossing) -> (&[NodeId], bool) {
        let nodes = self.nodes(block);
        (nodes, self.is_over(block))
    }

    /// Every token that at least two nodes hold, with its nodes, in no meaningful order; second
    /// tokens are left out.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (BlockingToken, &[NodeId])> {
        let blocks = self.blocks.iter().zip(&self.keys).enumerate();
        let held = blocks.filter(|(_, (block, key))| block.n_nodes > 1 && **key & SECOND == 0);
        held.map(|(place, (block, key))| {
            let token = BlockingToken { key: *key, token: block.token };
            (token, self.nodes(BlockId(place as u32)))
        })
    }

    /// Most nodes that a token of blocking key `key` may have.
    pub(crate) fn cap_of_key(&self, key: u8) -> usize {
        self.rules[usize::from(key & !SECOND)].cap
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

    /// Lists `node` under a block; `crossed` hears of it if that takes the block over the cap.
    fn enter(&mut self, id: BlockId, node: NodeId, crossed: &mut impl FnMut(Crossing)) {
        let block = &mut self.blocks[id.0 as usize];
        block.at = match block.n_nodes {
            0 => node,
            1 => NodeId(self.lists.add(&[block.at, node])),
            n_nodes => NodeId(self.lists.push(block.at.0, n_nodes as usize, node)),
        };
        block.n_nodes += 1;
        if self.count(id) == self.cap(id) + 1 {
            crossed(Crossing(id));
        }
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

impl KeyRule {
    fn of_schema(schema: &Schema, policy: &Policy) -> Vec<Self> {
        let rule = |key: &record::BlockingKey| match key.at_most {
            // Such a key says enough only of rare values: what is common is not divided.
            Some(own) => Self { cap: own.min(policy.block_cap), divided_by: Vec::new() },
            None => {
                let is_free = |field: &usize| key.parts.iter().all(|part| part.field != *field);
                let divided_by = (0..schema.fields.len()).filter(is_free).collect();
                Self { cap: policy.block_cap, divided_by }
            }
        };
        schema.blocking.iter().map(rule).collect()
    }
}

/// Tokens are keyed hashes already; only the key has to be mixed in.
fn hash(key: u8, Token(token): Token) -> u64 {
    (token ^ u64::from(key) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use record::{EncodedField, EncodedRecord};

    use super::*;

    const SCHEMA: &str = r#"
        schema = "test"
        version = 1
        [[field]]
        name = "zip"
        kind = "postal_code"
        tokens = ["exact"]
        [[field]]
        name = "phone"
        kind = "phone"
        tokens = ["exact"]
        [[blocking]]
        name = "zip"
        parts = ["zip"]
        [[blocking]]
        name = "rare_zip"
        parts = ["zip"]
        at_most = 2
    "#;

    struct Fixture {
        blocking: Blocking,
        index: Index,
        crossings: Vec<Crossing>,
    }

    impl Fixture {
        fn new(block_cap: usize) -> Self {
            let schema = Schema::parse(SCHEMA).unwrap();
            let policy = Policy { block_cap, ..Policy::default() };
            let blocking = Blocking::new(&schema, &policy);
            Self { blocking, index: Index::new(&schema), crossings: Vec::new() }
        }

        /// Enters a record with tokens of a key and, where given, a phone.
        fn insert(&mut self, key: u8, tokens: &[u64], phone: Option<u64>) -> NodeId {
            let phone =
                phone.map(|value| EncodedField { filter: None, tokens: vec![Some(Token(value))] });
            let blocking = tokens.iter().map(|value| BlockingToken { key, token: Token(*value) });
            let record = EncodedRecord { fields: vec![None, phone], blocking: blocking.collect() };
            let node = self.index.insert(&record);
            let crossed = |crossing| self.crossings.push(crossing);
            self.blocking.insert(node, &record.blocking, &self.index, crossed);
            node
        }

        fn remove(&mut self, node: NodeId) {
            self.blocking.remove(node, |crossing| self.crossings.push(crossing));
            self.index.remove(node);
        }

        fn candidates(&self, node: NodeId) -> Vec<u32> {
            let mut found: Vec<_> = self.blocking.candidates(node).map(|other| other.0).collect();
            found.sort_unstable();
            found.dedup();
            found
        }
    }

    #[test]
    fn a_token_over_the_cap_gives_no_candidates_until_it_shrinks() {
        let mut records = Fixture::new(2);
        let nodes = [0; 2].map(|_| records.insert(0, &[7], None));
        assert_eq!((records.candidates(nodes[0]), records.crossings.len()), (vec![1], 0));
        let third = records.insert(0, &[7, 8], None);
        assert_eq!((records.candidates(nodes[0]), records.crossings.len()), (vec![], 1));
        assert!(records.blocking.crossing(records.crossings[0]).1);
        records.remove(nodes[1]);
        assert_eq!((records.candidates(nodes[0]), records.crossings.len()), (vec![2], 2));
        assert!(records.blocking.supports(nodes[0], third));
    }

    #[test]
    fn a_token_over_the_cap_is_divided_by_the_values_of_another_field() {
        let mut records = Fixture::new(2);
        let phones = [Some(1), Some(2), Some(1), None, Some(2)];
        let nodes = phones.map(|phone| records.insert(0, &[7], phone));
        let found = nodes.map(|node| records.candidates(node));
        assert_eq!(found, [vec![2], vec![4], vec![0], vec![], vec![1]]);
        assert!(records.blocking.supports(nodes[0], nodes[2]));
        assert!(!records.blocking.supports(nodes[0], nodes[1]));
        let keys: Vec<_> = records.blocking.shared(nodes[0], nodes[2]).collect();
        assert_eq!(keys, [(0, true), (0, false)]);
        // A third record with phone 1 takes the second token over the cap.
        let sixth = records.insert(0, &[7], Some(1));
        assert_eq!(records.candidates(sixth), []);
        // Back under the cap and over it again: nobody is entered twice.
        for node in [nodes[1], nodes[2], nodes[3], sixth] {
            records.remove(node);
        }
        assert_eq!(records.candidates(nodes[0]), [4]);
        let again = records.insert(0, &[7], Some(2));
        assert_eq!(records.candidates(again), [4]);
        assert_eq!(records.candidates(nodes[0]), []);
    }

    #[test]
    fn a_key_with_a_limit_of_its_own_is_not_divided() {
        let mut records = Fixture::new(100);
        let nodes = [0; 3].map(|_| records.insert(1, &[7], Some(1)));
        assert_eq!(nodes.map(|node| records.candidates(node)), [[0; 0]; 3]);
    }

    #[test]
    fn places_of_forgotten_tokens_are_reused() {
        let mut records = Fixture::new(5);
        for round in 0..4 {
            let left = records.insert(0, &[round, round + 100], None);
            let right = records.insert(0, &[round], None);
            assert_eq!(records.candidates(right), [left.0]);
            records.remove(left);
            records.remove(right);
        }
        assert_eq!(records.blocking.blocks.len(), 2);
    }
}
