//! Files of a world that could be misread into more than they say.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const REGION: &str = "accounts/111122223333/regions/eu-central-1";
const KEY: &str =
    "accounts/111122223333/regions/eu-central-1/keys/5e1c9b4a-7d20-4f6b-9a3e-1f0c2d8b6a11";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            fs::copy(&path, &target).map(drop).unwrap()
        }
    }
}

/// The demo world, with one file changed.
fn changed(file: &str, change: impl FnOnce(PathBuf, String)) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/demo"), folder.path());
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    change(path, text);
    keyproof::load::world(folder.path()).map(drop).map_err(|error| error.to_string())
}

fn replaced(file: &str, from: &str, to: &str) -> String {
    changed(file, |path, text| {
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    })
    .unwrap_err()
}

#[test]
fn a_grant_with_an_unknown_member_is_refused() {
    let error = replaced(&format!("{KEY}/grants.json"), "\"Constraints\"", "\"Constraint\"");
    assert!(error.contains("`Constraint`, which is no member of a grant"), "{error}");
}

#[test]
fn a_grant_with_two_context_constraints_is_refused() {
    let error = replaced(
        &format!("{KEY}/grants.json"),
        "\"Constraints\": {",
        "\"Constraints\": {\"EncryptionContextEquals\": {\"a\": \"b\"},",
    );
    assert!(error.contains("second encryption context constraint"), "{error}");
}

#[test]
fn two_grants_of_one_id_are_refused() {
    let error = changed(&format!("{KEY}/grants.json"), |path, text| {
        let (start, end) = (text.find('[').unwrap() + 1, text.rfind(']').unwrap());
        let grants = &text[start..end];
        fs::write(path, format!("{}{grants},{grants}{}", &text[..start], &text[end..])).unwrap();
    });
    assert!(error.clone().unwrap_err().contains("is a second grant"), "{error:?}");
}

#[test]
fn an_alias_stands_once_and_under_its_own_arn() {
    let file = format!("{REGION}/aliases.json");
    let twice = changed(&file, |path, text| {
        let (start, end) = (text.find('[').unwrap() + 1, text.rfind(']').unwrap());
        let aliases = &text[start..end];
        fs::write(path, format!("{}{aliases},{aliases}{}", &text[..start], &text[end..])).unwrap();
    });
    assert!(twice.clone().unwrap_err().contains("is a second `alias/"), "{twice:?}");
    let error = replaced(&file, ":alias/orders\"", ":alias/others\"");
    assert!(error.contains("is not the ARN of `alias/orders`"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_no_missing_file() {
    let file = format!("{KEY}/policy.AWS_RAM.json");
    let error = changed(&file, |path, _| std::os::unix::fs::symlink("/gone", path).unwrap());
    assert!(error.clone().unwrap_err().contains("policy.AWS_RAM.json"), "{error:?}");
}

/// What AWS would not say.
#[test]
fn contradictory_descriptions_of_a_key_are_refused() {
    let file = format!("{KEY}/key.json");
    for (from, to, why) in [
        ("\"Enabled\": true", "\"Enabled\": false", "contradicts the key's state, `Enabled`"),
        ("\"KeyState\": \"Enabled\"", "\"KeyState\": \"Disabled\"", "state, `Disabled`"),
        ("\"AWSAccountId\": \"1", "\"AWSAccountId\": \"2", "is not the account of"),
        ("\"KeyId\": \"5", "\"KeyId\": \"6", "is not the id of"),
    ] {
        let error = replaced(&file, from, to);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn users_and_roles_without_their_list_of_managed_policies_are_refused() {
    let file = "accounts/111122223333/iam.json";
    let error = replaced(file, "\"AttachedManagedPolicies\"", "\"AttachedPolicies\"");
    assert!(error.contains("AttachedManagedPolicies"), "{error}");
}

#[test]
fn the_first_page_of_a_list_is_refused() {
    let file = format!("{REGION}/aliases.json");
    for marker in ["NextMarker", "NextToken"] {
        let error = replaced(&file, "{", &format!("{{\"{marker}\": \"AAE\","));
        assert!(error.contains("the list goes on"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_no_file_and_is_not_waited_for() {
    let file = format!("{KEY}/policy.json");
    let error = changed(&file, |path, _| {
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    });
    assert!(error.clone().unwrap_err().contains("policy.json: is no regular file"), "{error:?}");
}
