//! `cargo bench --features client-tests --bench moto`: speed of `fleet run` against moto's server
//! beside the bare calls, as many at once.
//!
//! `KEYPROOF_BENCH_ITEMS` chooses another number of items.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a bench")]

#[path = "../integration/aws/server.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod server;

use std::collections::HashMap;
use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::Credentials;
use aws_sdk_kms::primitives::Blob;
use serde_json::json;

use server::Moto;

fn main() {
    let items: usize =
        std::env::var("KEYPROOF_BENCH_ITEMS").map_or(1_000, |text| text.parse().unwrap());
    let moto = Moto::new();
    moto.collect();
    let caller = format!("--caller arn:aws:sts::{}:assumed-role/app/i-1", moto.account());
    let aws = format!("--backend aws --world world --audit audit.jsonl {caller}");
    std::fs::write(moto.path("secret.txt"), "the secret").unwrap();
    moto.done(&format!(
        "encrypt {aws} --key-id alias/orders --plaintext secret.txt --output blue.bin"
    ));
    let blob = std::fs::read(moto.path("blue.bin")).unwrap();
    let input: String = (0..items).map(|item| line(item, &blob)).collect();
    std::fs::write(moto.path("in.jsonl"), input).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(client(&moto.address));

    println!("{items} items  calls  seconds  items/s");
    for calls in [1, 4, 16] {
        let since = Instant::now();
        runtime.block_on(bare(&client, &moto, &blob, items, calls));
        let bare = since.elapsed().as_secs_f64();
        let since = Instant::now();
        moto.done(&format!(
            "fleet run {aws} --input in.jsonl --source-key-id alias/orders \
             --destination-key-id alias/archive --destination-encryption-context tenant=blue \
             --max-age 60m --concurrency {calls} --output out{calls}.jsonl"
        ));
        let run = since.elapsed().as_secs_f64();
        let written = std::fs::read_to_string(moto.path(&format!("out{calls}.jsonl"))).unwrap();
        assert_eq!(written.lines().count(), items);
        let rate = |seconds: f64| items as f64 / seconds;
        println!("bare calls  {calls:>6}  {bare:>7.2}  {:>7.0}", rate(bare));
        println!(
            "fleet run   {calls:>6}  {run:>7.2}  {:>7.0}  {:.0} % of the bare calls, the start of \
             the program and its plan included",
            rate(run),
            100.0 * bare / run
        );
    }
}

fn line(item: usize, blob: &[u8]) -> String {
    use base64::Engine as _;

    let blob = base64::engine::general_purpose::STANDARD.encode(blob);
    format!("{}\n", json!({"id": item.to_string(), "ciphertext": blob}))
}

async fn client(address: &str) -> Client {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(address)
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "bench"));
    Client::new(&loader.load().await)
}

/// The same requests as the run's, with nothing decided, recorded or written.
async fn bare(client: &Client, moto: &Moto, blob: &[u8], items: usize, calls: usize) {
    let context = HashMap::from([("tenant".to_owned(), "blue".to_owned())]);
    let workers = (0..calls).map(|worker| {
        let request = client
            .re_encrypt()
            .ciphertext_blob(Blob::new(blob))
            .source_key_id(moto.key("orders"))
            .destination_key_id(moto.key("archive"))
            .set_destination_encryption_context(Some(context.clone()));
        tokio::spawn(async move {
            for _ in (worker..items).step_by(calls) {
                let answer = request.clone().send().await.unwrap();
                std::hint::black_box(answer);
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
}
