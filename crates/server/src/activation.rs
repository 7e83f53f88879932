//! Models, registries and rule profiles as they are kept when they are put in force: everything that is needed to
//! score or to evaluate again as it was done then.

use std::sync::Arc;

use linkage::{FrequencyError, Model, ModelError, TermFrequencies};
use pathways::{Faults, Registry, RegistryVersion, RuleProfiles};
use record::Schema;

/// Parts the text of a model from its term-frequency snapshot; TOML has no such byte.
const SEPARATOR: u8 = 0;

/// Why what was kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The model's text.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's term frequencies.
    #[error(transparent)]
    Frequencies(#[from] FrequencyError),
    /// The registry, or the rule profiles.
    #[error(transparent)]
    Rules(#[from] Faults),
    /// Something else stands where text should.
    #[error("the content is not of the form that was kept")]
    Form,
}

/// A model with its term-frequency snapshot.
pub fn model_content(model: &Model) -> Vec<u8> {
    let mut content = model.to_toml().into_bytes();
    if let Some(frequencies) = &model.frequencies {
        content.push(SEPARATOR);
        content.extend(frequencies.to_bytes());
    }
    content
}

/// Reads [`model_content`].
///
/// # Errors
/// The part that cannot be read, or does not fit the schema.
pub fn read_model(content: &[u8], schema: &Schema) -> Result<Model, ActivationError> {
    let model = Model::from_toml(&model_text(content), schema)?;
    match content.iter().position(|byte| *byte == SEPARATOR) {
        Some(end) => {
            let frequencies = TermFrequencies::from_bytes(&content[end + 1..], schema)?;
            Ok(model.with_frequencies(Arc::new(frequencies)))
        }
        None => Ok(model),
    }
}

/// The portable part of [`model_content`]: weights without frequencies of values.
pub fn model_text(content: &[u8]) -> String {
    let text = content.split(|byte| *byte == SEPARATOR).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The files of a registry, or of rule profiles, by name.
pub fn files_content(files: &[(String, String)]) -> Vec<u8> {
    serde_json::to_vec(files).expect("texts are written as JSON")
}

fn read_files(content: &[u8]) -> Result<Vec<(String, String)>, ActivationError> {
    serde_json::from_slice(content).map_err(|_| ActivationError::Form)
}

/// Reads the [`files_content`] of a registry.
///
/// # Errors
/// The file that cannot be read.
pub fn read_registry(content: &[u8]) -> Result<Registry, ActivationError> {
    Ok(Registry::parse(&read_files(content)?)?)
}

/// Reads the [`files_content`] of rule profiles for the pathways of `registry`.
///
/// # Errors
/// The file that cannot be read.
pub fn read_profiles(
    content: &[u8],
    registry: &RegistryVersion,
) -> Result<RuleProfiles, ActivationError> {
    Ok(RuleProfiles::parse(&read_files(content)?, registry)?)
}

/// The registry that is built in.
pub fn built_in_registry() -> Vec<(String, String)> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    pathways::DEFAULT_REGISTRY.iter().map(owned).collect()
}
