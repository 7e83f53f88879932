//! The record index: distinct encodings interned per field, and a row of value ids per node.

use record::{EncodedRecord, Schema};

use crate::values::{FieldValues, ValueId};

/// One version of one record, by its place in the index. Places of removed versions are reused,
/// so a node id means nothing outside the index and never decides an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct NodeId(pub u32);

impl NodeId {
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// The values of all nodes: four bytes per node and field, each distinct value once.
pub(crate) struct Index {
    pub(crate) fields: Vec<FieldValues>,
    rows: Vec<ValueId>,
    free: Vec<NodeId>,
}

impl Index {
    pub(crate) fn new(schema: &Schema) -> Self {
        let fields = schema.fields.iter().map(FieldValues::new).collect();
        Self { fields, rows: Vec::new(), free: Vec::new() }
    }

    /// Number of places, of removed nodes too.
    pub(crate) fn n_places(&self) -> usize {
        self.rows.len() / self.fields.len()
    }

    /// The value ids of a node, a place per field.
    pub(crate) fn row(&self, node: NodeId) -> &[ValueId] {
        let n_fields = self.fields.len();
        &self.rows[node.place() * n_fields..(node.place() + 1) * n_fields]
    }

    /// Interns the values of `record` and gives it a place.
    pub(crate) fn insert(&mut self, record: &EncodedRecord) -> NodeId {
        let n_fields = self.fields.len();
        let node = self.free.pop().unwrap_or_else(|| {
            let node = NodeId(u32::try_from(self.n_places()).expect("fewer than 2^32 nodes"));
            self.rows.resize(self.rows.len() + n_fields, ValueId::MISSING);
            node
        });
        let row = &mut self.rows[node.place() * n_fields..][..n_fields];
        for ((place, values), encoded) in row.iter_mut().zip(&mut self.fields).zip(&record.fields) {
            *place = encoded.as_ref().map_or(ValueId::MISSING, |field| values.intern(field));
        }
        node
    }

    /// Releases the values of `node`; encodings that no node holds any more are wiped.
    pub(crate) fn remove(&mut self, node: NodeId) {
        let n_fields = self.fields.len();
        let row = &mut self.rows[node.place() * n_fields..][..n_fields];
        for (place, values) in row.iter_mut().zip(&mut self.fields) {
            if *place != ValueId::MISSING {
                values.release(*place);
            }
            *place = ValueId::MISSING;
        }
        self.free.push(node);
    }
}
