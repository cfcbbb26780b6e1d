//! Slow and broken clients on a connection: dropped in time, and never in the way of others (W6).
use super::common::{Bench, bench};
use crate::guard::Peer;
use crate::server::connection;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// The limit promised to others (W6).
const PROMISED: Duration = Duration::from_secs(45);

fn connect(bench: &Bench, room: usize) -> (DuplexStream, watch::Sender<bool>) {
    let (client, server) = duplex(room);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(connection(server, bench.router.clone(), Peer::Net(IpAddr::from([192, 0, 2, 1])), stopped));
    (client, stop)
}

async fn answer(client: &mut DuplexStream) -> String {
    let mut raw = Vec::new();
    let _ = timeout(PROMISED * 3, client.read_to_end(&mut raw)).await;
    String::from_utf8_lossy(&raw).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_dribbles_headers_is_dropped() {
    let bench = bench();
    let (mut client, _stop) = connect(&bench, 4096);
    let began = Instant::now();
    client.write_all(b"GET / HTTP/1.1\r\nHost: box.lan\r\n").await.unwrap();
    while client.write_all(b"x: y\r\n").await.is_ok() && began.elapsed() < PROMISED * 3 {
        sleep(Duration::from_secs(5)).await;
    }
    assert!(began.elapsed() <= PROMISED, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_dribbles_a_body_is_dropped() {
    let bench = bench();
    let (mut client, _stop) = connect(&bench, 4096);
    let began = Instant::now();
    let head = "POST /api/v1/login HTTP/1.1\r\nHost: box.lan\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{";
    client.write_all(head.as_bytes()).await.unwrap();
    while client.write_all(b" ").await.is_ok() && began.elapsed() < PROMISED * 3 {
        sleep(Duration::from_secs(5)).await;
    }
    assert!(began.elapsed() <= PROMISED, "{:?}", began.elapsed());
    assert!(!answer(&mut client).await.contains(" 500 "));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answer_is_dropped() {
    let bench = bench();
    let (mut client, _stop) = connect(&bench, 512);
    let ask = "GET /api/openapi.json HTTP/1.1\r\nHost: box.lan\r\n\r\n";
    client.write_all(ask.as_bytes()).await.unwrap();
    sleep(PROMISED).await;
    let got = answer(&mut client).await;
    assert!(got.len() <= 512, "the rest was thrown away with the connection: {}", got.len());
}

#[tokio::test(start_paused = true)]
async fn huge_and_smuggled_requests_are_refused() {
    let bench = bench();
    let huge = format!("GET / HTTP/1.1\r\nHost: box.lan\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: box.lan\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let twice = "POST /api/v1/login HTTP/1.1\r\nHost: box.lan\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!".to_owned();
    let both = "POST /api/v1/login HTTP/1.1\r\nHost: box.lan\r\nContent-Length: 5\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_owned();
    let rubbish = "\u{16}\u{3}\u{1} not http at all\r\n\r\n".to_owned();
    for request in [huge, many, twice, both, rubbish] {
        let (mut client, _stop) = connect(&bench, 1024 * 1024);
        client.write_all(request.as_bytes()).await.unwrap();
        let answer = answer(&mut client).await;
        let status = answer.split(' ').nth(1).unwrap_or("closed").to_owned();
        assert!(status == "closed" || status.starts_with('4'), "{:.40}: {status}", request);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_running_request_end_and_closes_the_rest() {
    let bench = bench();
    let (mut idle, stop_idle) = connect(&bench, 4096);
    let ask = "GET /api/v1/setup HTTP/1.1\r\nHost: box.lan\r\n\r\n";
    idle.write_all(ask.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let began = Instant::now();
    stop_idle.send(true).unwrap();
    answer(&mut idle).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
