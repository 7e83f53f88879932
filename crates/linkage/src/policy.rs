//! The limits of a linker that are the operator's choice, not the model's.

/// Limits on work; they are part of what decides a result, so two linkers that are to agree must
/// have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A blocking token held by more record versions than this gives no candidates.
    pub block_cap: usize,
    /// A connected component of more record versions than this is divided by raising its own edge
    /// cut-off until its parts fit.
    pub component_limit: usize,
}

impl Default for Policy {
    /// 300 record versions per token, 1,000 per component.
    fn default() -> Self {
        Self { block_cap: 300, component_limit: 1000 }
    }
}
