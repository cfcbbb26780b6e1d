//! Updates over the interface: upload to disk, refusals in both languages, and what reaches the box.
use super::common::{Bench, Browser, bench, request, with};
use crate::ports::{Ask, NotDone};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::sentence::Sentence;
use model::update::Restart;
use serde_json::json;

fn upload(browser: &Browser, content: Vec<u8>) -> Request<Body> {
    let mut request = with(browser, request("POST", "/api/v1/update", None));
    request.headers_mut().insert("content-type", "application/octet-stream".parse().unwrap());
    *request.body_mut() = Body::from(content);
    request
}

async fn anna() -> (Bench, Browser) {
    let bench = bench();
    let browser = bench.sign_in("anna").await;
    (bench, browser)
}

#[tokio::test]
async fn a_bundle_larger_than_any_other_body_goes_to_disk_and_is_looked_at() {
    let (bench, anna) = anna().await;
    let content = [b"good".to_vec(), vec![1; 3 * 1024 * 1024]].concat();
    let answer = bench.send(upload(&anna, content.clone())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.headers["location"], "/api/v1/update");
    let view = bench.ask(&anna, "GET", "/api/v1/update", None).await.json();
    assert_eq!(view["bundle"]["version"], "2.0");
    assert_eq!(std::fs::read(bench.folder.path().join("bundle")).unwrap(), content);
}

#[tokio::test]
async fn a_bad_bundle_is_refused_with_a_sentence_in_both_languages() {
    let (bench, anna) = anna().await;
    let answer = bench.send(upload(&anna, b"bad".to_vec())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let refused = &bench.ask(&anna, "GET", "/api/v1/update", None).await.json()["refused"];
    assert_eq!((refused["en"].as_str(), refused["zh"].as_str()), (Some("It is damaged."), Some("已损坏。")));
}

#[tokio::test]
async fn a_file_that_says_it_is_too_large_is_refused_before_it_is_read() {
    let (bench, anna) = anna().await;
    let mut request = upload(&anna, Vec::new());
    request.headers_mut().insert("content-length", "300000000".parse().unwrap());
    let answer = bench.send(request).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().contains("256 MiB"), "{}", answer.text());
}

#[tokio::test]
async fn what_is_asked_reaches_the_box_with_the_name_of_the_asker() {
    let (bench, anna) = anna().await;
    let ask = async |path: &str, when: &str| {
        bench.ask(&anna, "POST", path, Some(&json!({ "restart": when }))).await.status
    };
    assert_eq!(ask("/api/v1/update/install", "idle").await, StatusCode::ACCEPTED);
    assert_eq!(ask("/api/v1/update/rollback", "now").await, StatusCode::ACCEPTED);
    assert_eq!(ask("/api/v1/update/restart", "later").await, StatusCode::ACCEPTED);
    assert_eq!(ask("/api/v1/update/restart", "sometime").await, StatusCode::UNPROCESSABLE_ENTITY);
    let asked = bench.system.asked.lock().unwrap().clone();
    let wanted = [Ask::Install(Restart::Idle), Ask::RollBack(Restart::Now), Ask::Restart(Restart::Later)];
    assert_eq!(asked, wanted.map(|ask| ("anna".to_owned(), ask)));
}

#[tokio::test]
async fn a_refusal_of_the_box_is_handed_on() {
    let (bench, anna) = anna().await;
    let why = Sentence::new("There is no older system.", "没有旧系统。");
    *bench.system.refuses.lock().unwrap() = Some(NotDone(why));
    let answer =
        bench.ask(&anna, "POST", "/api/v1/update/rollback", Some(&json!({ "restart": "now" }))).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "not_done"));
    assert!(answer.text().contains("没有旧系统"));
}

#[tokio::test]
async fn a_self_call_tells_its_result() {
    let (bench, anna) = anna().await;
    let answer = bench.ask(&anna, "POST", "/api/v1/self-call", None).await;
    assert_eq!((answer.status, answer.json()["failed"].is_null()), (StatusCode::OK, true));
}

#[tokio::test]
async fn a_bundle_on_a_stick_is_offered_brought_and_looked_at() {
    let (bench, anna) = anna().await;
    let listed = bench.get(&anna, "/api/v1/update/usb").await;
    assert_eq!(listed.json(), json!([{ "name": "new.raucb", "bytes": 5 }]));
    let answer = bench.ask(&anna, "POST", "/api/v1/update/usb", Some(&json!({ "name": "new.raucb" }))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(bench.get(&anna, "/api/v1/update").await.json()["bundle"]["version"], "2.0");
    let why = Sentence::new("There is no USB stick.", "没有 U 盘。");
    *bench.system.refuses.lock().unwrap() = Some(NotDone(why));
    assert_eq!(bench.get(&anna, "/api/v1/update/usb").await.status, StatusCode::CONFLICT);
}
