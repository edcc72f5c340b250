//! A server on a loopback port that answers KMS's and STS's requests as a test says.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::config::Credentials;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::timeout::TimeoutConfig;
use keyproof::backend::aws::Clients;
use serde_json::{Value, json};

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `ReEncrypt`, `GetCallerIdentity`, …
    pub operation: String,
    /// KMS's members; null for STS.
    pub body: Value,
}

/// What the server answers.
pub enum Reply {
    /// A status and a body.
    Text(u16, String),
    /// Nothing, until the client gives up.
    Silence,
    /// The beginning of an answer, and a closed connection.
    Torn,
}

pub fn ok(body: Value) -> Reply {
    Reply::Text(200, body.to_string())
}

pub fn exception(code: &str, message: &str) -> Reply {
    Reply::Text(400, json!({"__type": code, "message": message}).to_string())
}

pub fn identity(arn: &str) -> Reply {
    let account = arn.split(':').nth(4).unwrap();
    Reply::Text(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId>\
             <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    )
}

pub struct Stub {
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (heard, answer) = (Arc::clone(&asked), Arc::new(answer));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &heard, &*answer));
            }
        });
        Self { address, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.asked().iter().filter(|asked| asked.operation == operation).count()
    }

    pub fn clients(&self) -> Clients {
        clients(&self.address, true)
    }
}

/// Clients of a server, which wait little.
pub fn clients(address: &str, credentials: bool) -> Clients {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(address)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(1)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_millis(700))
                .operation_timeout(Duration::from_secs(5))
                .build(),
        );
    if credentials {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        loader = loader.credentials_provider(credentials);
        return Clients::new(block_on(loader.load()));
    }
    let mut without = block_on(loader.load()).into_builder();
    without.set_credentials_provider(None);
    Clients::new(without.build())
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn serve(mut stream: TcpStream, heard: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Reply) {
    let mut bytes = Vec::new();
    let head = loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let header = |name: &str| {
        text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length").unwrap().parse().unwrap();
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).unwrap();
        body.extend_from_slice(&buffer[..read]);
    }
    let asked = match header("x-amz-target") {
        Some(target) => Asked {
            operation: target.trim_start_matches("TrentService.").to_owned(),
            body: serde_json::from_slice(&body).unwrap(),
        },
        None => {
            let form = String::from_utf8(body).unwrap();
            let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
            Asked { operation: action.unwrap().to_owned(), body: Value::Null }
        }
    };
    let reply = answer(&asked);
    heard.lock().unwrap().push(asked);
    match reply {
        Reply::Silence => std::thread::sleep(Duration::from_secs(30)),
        Reply::Torn => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{\"Cip");
        }
        Reply::Text(status, body) => {
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\n\
                 x-amzn-requestid: request-1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // The client may have given up.
            let _ = stream.write_all(answer.as_bytes());
        }
    }
}
