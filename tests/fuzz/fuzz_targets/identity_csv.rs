#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hostile::identity_csv(data));
