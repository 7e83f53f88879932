//! The contract keeps its own rules: comments, names, requests and responses of their own.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::Type,
};

fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET)
        .expect("the compiled contract is a descriptor set");
    let own = |file: &FileDescriptorProto| file.package().starts_with("waymark.");
    set.file.into_iter().filter(own).collect()
}

fn messages(file: &FileDescriptorProto) -> &[DescriptorProto] {
    assert!(file.message_type.iter().all(|message| message.nested_type.is_empty()));
    &file.message_type
}

fn enums(file: &FileDescriptorProto) -> &[EnumDescriptorProto] {
    &file.enum_type
}

#[test]
fn every_service_of_the_contract_is_described() {
    let files = files();
    let services: BTreeSet<_> = files
        .iter()
        .flat_map(|file| file.service.iter().map(|s| format!("{}.{}", file.package(), s.name())))
        .collect();
    let expected =
        ["Admin", "Audit", "Question", "Registry", "Review", "Statement", "Status", "Submission"]
            .map(|name| format!("waymark.{}.v1.{name}Service", name.to_lowercase()));
    assert_eq!(services, expected.into());
}

#[test]
fn everything_has_a_comment_that_ends_as_a_sentence() {
    for file in files() {
        let info = file.source_code_info.clone().unwrap();
        let comments: BTreeMap<_, _> = info
            .location
            .iter()
            .map(|location| (location.path.clone(), location.leading_comments().trim().to_owned()))
            .filter(|(_, comment)| !comment.is_empty())
            .collect();
        for (path, name) in commented(&file) {
            let comment = comments.get(&path).map_or("", String::as_str);
            assert!(comment.ends_with(['.', ':']), "{}: {name}: {comment:?}", file.name());
        }
    }
}

/// Every element that needs a comment: its path in the descriptor and its name.
fn commented(file: &FileDescriptorProto) -> Vec<(Vec<i32>, &str)> {
    let mut elements = Vec::new();
    for (message, m) in messages(file).iter().zip(0..) {
        elements.push((vec![4, m], message.name()));
        elements.extend(message.field.iter().zip(0..).map(|(f, n)| (vec![4, m, 2, n], f.name())));
    }
    for (set, e) in enums(file).iter().zip(0..) {
        elements.push((vec![5, e], set.name()));
        elements.extend(set.value.iter().zip(0..).map(|(v, n)| (vec![5, e, 2, n], v.name())));
    }
    for (service, s) in file.service.iter().zip(0..) {
        elements.push((vec![6, s], service.name()));
        elements.extend(service.method.iter().zip(0..).map(|(m, n)| (vec![6, s, 2, n], m.name())));
    }
    elements
}

#[test]
fn every_call_has_a_request_and_a_response_of_its_own() {
    for file in files() {
        for method in file.service.iter().flat_map(|service| &service.method) {
            let own = |suffix| format!(".{}.{}{suffix}", file.package(), method.name());
            assert_eq!(method.input_type(), own("Request"));
            assert_eq!(method.output_type(), own("Response"));
        }
    }
}

#[test]
fn zero_of_every_enum_is_unspecified_and_no_field_is_a_float() {
    for file in files() {
        for set in enums(&file) {
            let zero = set.value.iter().find(|value| value.number() == 0).unwrap();
            assert!(zero.name().ends_with("_UNSPECIFIED"), "{}", set.name());
        }
        for field in messages(&file).iter().flat_map(|message| &message.field) {
            assert!(!matches!(field.r#type(), Type::Float | Type::Double), "{}", field.name());
        }
    }
}
