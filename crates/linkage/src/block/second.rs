//! Second tokens: a token over the cap, divided by the values of the fields that it says nothing of.
//!
//! Several hundred records under one token (the phone of a shelter, a common name in one ZIP code)
//! are too many to compare all of their pairs. Those of them that agree on one more field are few
//! again: a second token stands for the token and such a value. It has the cap of its key and is not
//! divided further.
//!
//! Second tokens are made when a token grows past the cap, for all of its nodes. Once it is back
//! under the cap they are superfluous and harmless: whoever shares one shares the token too. So the
//! candidates depend on the final counts alone, like those of the tokens.

use record::{BlockingToken, Token};
use rustc_hash::FxHashMap;

use super::{BlockId, Blocking, Crossing, Held};
use crate::{
    index::{Index, NodeId},
    values::ValueId,
};

/// The bit that tells the key of a second token from that of a token. Schemas have at most
/// [`record::Schema::MAX_BLOCKING_KEYS`] keys, fewer than this.
pub(super) const SECOND: u8 = 1 << 7;

impl Blocking {
    /// Enters `node`, just entered under `block`, which is over the cap, under the second tokens of
    /// that block, and adds these to `held`. The node that took the block over the cap brings all
    /// others along.
    pub(super) fn divide(
        &mut self,
        block: BlockId,
        node: NodeId,
        index: &Index,
        held: &mut Vec<BlockId>,
        crossed: &mut impl FnMut(Crossing),
    ) {
        if self.rules[usize::from(self.keys[block.0 as usize])].divided_by.is_empty() {
            return;
        }
        if self.count(block) == self.cap(block) + 1 {
            for other in self.nodes(block).to_vec() {
                if other != node {
                    self.divide_later(block, other, index, crossed);
                }
            }
        }
        for second in self.second_tokens(self.token(block), node, index) {
            let second = self.block(second);
            self.enter(second, node, crossed);
            held.push(second);
        }
    }

    /// Enters a node that has held `block` for some time under its second tokens.
    fn divide_later(
        &mut self,
        block: BlockId,
        node: NodeId,
        index: &Index,
        crossed: &mut impl FnMut(Crossing),
    ) {
        for second in self.second_tokens(self.token(block), node, index) {
            let second = self.block(second);
            // It may still be there from the last time that the block was over the cap.
            if !self.held_by(node).contains(&second) {
                self.enter(second, node, crossed);
                let Held { start, n_blocks } = self.held[node.place()];
                let start = self.held_lists.push(start, n_blocks as usize, second);
                self.held[node.place()] = Held { start, n_blocks: n_blocks + 1 };
            }
        }
    }

    /// Pairs that the second tokens of `first`, a token over the cap with these `nodes`, make
    /// candidates; a pair counts once for each second token that it shares.
    pub(crate) fn n_pairs_divided(
        &self,
        first: BlockingToken,
        nodes: &[NodeId],
        index: &Index,
    ) -> u64 {
        let mut counts: FxHashMap<Token, u64> = FxHashMap::default();
        for node in nodes {
            for second in self.second_tokens(first, *node, index) {
                *counts.entry(second.token).or_default() += 1;
            }
        }
        let cap = self.cap_of_key(first.key) as u64;
        counts.into_values().filter(|n| *n <= cap).map(|n| n * (n - 1) / 2).sum()
    }

    /// The second tokens of a node that holds `first`: one per field that the key leaves free and
    /// the node has a value of.
    fn second_tokens(
        &self,
        first: BlockingToken,
        node: NodeId,
        index: &Index,
    ) -> Vec<BlockingToken> {
        let row = index.row(node);
        let fields = self.rules[usize::from(first.key)].divided_by.iter();
        fields
            .filter(|field| row[**field] != ValueId::MISSING)
            .map(|field| {
                let value = index.fields[*field].fingerprint(row[*field]);
                BlockingToken { key: first.key | SECOND, token: mixed(first.token, *field, value) }
            })
            .collect()
    }

    fn token(&self, BlockId(block): BlockId) -> BlockingToken {
        let block = block as usize;
        BlockingToken { key: self.keys[block], token: self.blocks[block].token }
    }
}

/// A token, a field and the fingerprint of its value in one.
fn mixed(Token(first): Token, field: usize, value: u64) -> Token {
    let place = (field as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (first ^ place).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ value;
    Token((mixed ^ mixed >> 32).wrapping_mul(0x94D0_49BB_1331_11EB))
}
