//! Transcripts of the program, one file a situation.

use junit_parser::TestStatus;

#[test]
fn commands_print_what_their_transcripts_show() {
    trycmd::TestCases::new().case("tests/cmd/*/*.toml").env("NO_COLOR", "1");
}

#[test]
fn junit_is_read_by_a_junit_parser() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keyproof"))
        .args(["check", "--format", "junit", "tests/fixtures/unmet.toml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let suites = junit_parser::from_reader(output.stdout.as_slice()).unwrap();
    assert_eq!((suites.tests, suites.failures), (2, 1));
    let cases = &suites.suites[0].cases;
    assert!(matches!(cases[0].status, TestStatus::Success));
    assert_eq!(cases[1].original_name, "reporting-may-deliver <too>");
    assert!(
        matches!(&cases[1].status, TestStatus::Failure(failure) if failure.message.contains("expected allow, got implicit-deny"))
    );
}
