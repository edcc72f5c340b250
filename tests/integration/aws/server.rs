//! moto's server: started on a port of its own and stopped, with an account in it.

use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A virtual environment with moto, made once under `target/`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
        let python = home.join("bin/python");
        let ready = home.join("ready-2");
        if !ready.exists() {
            let done = |command: &mut Command, what: &str| {
                let output = command.output();
                let told = match &output {
                    Ok(output) if output.status.success() => return,
                    Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
                    Err(error) => error.to_string(),
                };
                panic!(
                    "the feature client-tests needs moto's server, and {what} failed: install \
                     Python 3 with venv (Debian: python3-venv) and give pip a way to PyPI\n{told}"
                );
            };
            done(Command::new("python3").args(["-m", "venv"]).arg(&home), "`python3 -m venv`");
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet"]);
            pip.args(PACKAGES.split(' ').map(|name| name.trim_matches('\'')));
            done(&mut pip, &format!("`pip install {PACKAGES}`"));
            std::fs::write(ready, "").unwrap();
        }
        python
    })
}

pub const PACKAGES: &str = "'moto[server,kms,iam,sts]==5.2.*' awscli";

/// Where the programs of a virtual environment are.
pub fn bin(python: &Path) -> &Path {
    python.parent().unwrap()
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// moto's server on a port of its own, stopped when it is dropped, and the account in it.
pub struct Moto {
    server: Child,
    pub address: String,
    pub made: Value,
    home: tempfile::TempDir,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Moto {
    pub fn new() -> Self {
        let free = free_port();
        let mut server = Command::new(python())
            .args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p"])
            .arg(free.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", free)).is_err() {
            if since.elapsed() > Duration::from_secs(60) || server.try_wait().unwrap().is_some() {
                let _ = server.kill();
                let mut told = String::new();
                server.stderr.take().unwrap().read_to_string(&mut told).unwrap();
                panic!("moto's server does not start:\n{told}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // Nobody reads on: a full pipe would stop it.
        let mut told = server.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        let home = tempfile::tempdir().unwrap();
        let address = format!("http://127.0.0.1:{free}");
        std::fs::create_dir(home.path().join("facts")).unwrap();
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/aws/moto_seed.py");
        let output = Command::new(python())
            .arg(seed)
            .arg(&address)
            .arg(home.path().join("facts"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let made = serde_json::from_slice(&output.stdout).unwrap();
        Self { server, address, made, home }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn key(&self, name: &str) -> &str {
        self.made[name].as_str().unwrap()
    }

    pub fn account(&self) -> &str {
        self.made["account"].as_str().unwrap()
    }

    /// Exit code, standard output and standard error, with the administrator's credentials.
    pub fn keyproof(&self, words: &str) -> (i32, String, String) {
        self.keyproof_as(
            words,
            &[("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "s")],
        )
    }

    pub fn keyproof_as(&self, words: &str, credentials: &[(&str, &str)]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_keyproof"))
            .args(words.split_whitespace())
            .current_dir(self.home.path())
            .env_clear()
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_REGION", "eu-central-1")
            .envs(credentials.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    pub fn done(&self, words: &str) -> String {
        let (code, out, err) = self.keyproof(words);
        assert_eq!(code, 0, "{words}\n{out}{err}");
        err
    }

    /// Collects the account into `world`.
    pub fn collect(&self) {
        let (code, out, err) = self.keyproof("collect --world world --facts facts");
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.contains(" eu-central-1: 3 keys\n") && !out.contains("unknown"), "{out}");
        std::fs::write(self.path("world/world.toml"), WORLD).unwrap();
    }
}

pub const WORLD: &str = "[organization]\nnone = true\n[defaults]\ndirect = true\n";
