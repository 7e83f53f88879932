//! Compiles the contract in `proto/` to Rust, without protoc.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const ROOT: &str = "../../proto";
const FILES: [&str; 11] = [
    "waymark/admin/v1/admin.proto",
    "waymark/audit/v1/audit.proto",
    "waymark/event/v1/event.proto",
    "waymark/file/v1/file.proto",
    "waymark/question/v1/question.proto",
    "waymark/registry/v1/registry.proto",
    "waymark/review/v1/review.proto",
    "waymark/statement/v1/statement.proto",
    "waymark/status/v1/status.proto",
    "waymark/submission/v1/submission.proto",
    "waymark/type/v1/record_key.proto",
];

/// Messages whose derived `Debug` would show local ids, encodings or secrets.
const REDACTED: [&str; 12] = [
    "waymark.event.v1.Event",
    "waymark.event.v1.IdChange",
    "waymark.question.v1.Question",
    "waymark.submission.v1.Row",
    "waymark.submission.v1.Row.row",
    "waymark.submission.v1.IdentityRecord",
    "waymark.submission.v1.FieldEncoding",
    "waymark.submission.v1.Token",
    "waymark.submission.v1.BlockingToken",
    "waymark.admin.v1.IssueTokenResponse",
    "waymark.submission.v1.WithdrawRecordsRequest",
    "waymark.type.v1.RecordKey",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;
    let descriptors = compiler.file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.binpb"), descriptors.encode_to_vec())?;
    let mut config =
        tonic_prost_build::configure().include_file("contract.rs").skip_debug(REDACTED);
    // A row on the wire can be 2 bytes; boxed, it stays small in memory too.
    for row in ["record", "event"] {
        config = config.boxed(format!("waymark.submission.v1.Row.row.{row}"));
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
