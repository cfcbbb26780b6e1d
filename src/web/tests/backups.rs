//! Backups and holds as a browser asks for them.
use super::common::{bench, new_box, request, with};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_large_backup_is_uploaded_downloaded_and_restored_with_its_pass_phrase() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let request = Request::builder().method("POST").uri("/api/v1/backups/upload");
    let request = request.header("content-length", bytes.len()).body(Body::from(bytes.clone())).unwrap();
    let answer = bench.send(with(&anna, request)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let name = answer.json()["name"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["bytes"], 3_000_000);
    let file = bench.get(&anna, &format!("/api/v1/backups/{name}")).await;
    assert_eq!((file.status, file.body == bytes), (StatusCode::OK, true));
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(&name));
    let restore = |phrase: &str| {
        let body = json!({ "pass_phrase": phrase });
        let (bench, anna, path) = (&bench, &anna, format!("/api/v1/backups/{name}/restore"));
        async move { bench.ask(anna, "POST", &path, Some(&body)).await }
    };
    let wrong = restore("wrong").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    assert!(wrong.text().contains("pass-phrase does not open"), "{}", wrong.text());
    assert!(bench.saving.restored.lock().unwrap().is_empty());
    assert_eq!(restore("right").await.status, StatusCode::OK);
    assert_eq!(*bench.saving.restored.lock().unwrap(), [name]);
}

#[tokio::test]
async fn elsewhere_a_large_body_is_still_refused() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let request = Request::builder().method("POST").uri("/api/v1/config/apply");
    let request =
        request.header("content-length", 3_000_000).body(Body::from(vec![b' '; 3_000_000])).unwrap();
    assert_eq!(bench.send(with(&anna, request)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_factory_reset_wants_the_password_again() {
    let bench = bench();
    let anna = bench.sign_in("anna").await;
    let ask = async |body| bench.ask(&anna, "POST", "/api/v1/reset", Some(&body)).await;
    let wrong = ask(json!({ "confirm": "reset", "password": "not hers at all" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::FORBIDDEN, "wrong_password"));
    assert_eq!(ask(json!({ "confirm": "reset" })).await.status, StatusCode::FORBIDDEN);
    let unsure = ask(json!({ "confirm": "", "password": super::common::PASSWORD })).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bench.saving.restored.lock().unwrap().is_empty());
    let sure = ask(json!({ "confirm": "reset", "password": super::common::PASSWORD })).await;
    assert_eq!(sure.status, StatusCode::NO_CONTENT);
    let local = bench.local("POST", "/api/v1/reset", Some(&json!({ "confirm": "reset" }))).await;
    assert_eq!(local.status, StatusCode::NO_CONTENT);
    assert_eq!(*bench.saving.restored.lock().unwrap(), ["reset by anna", "reset by console"]);
}

fn brought(code: &str) -> Request<Body> {
    let request = Request::builder().method("POST").uri("/api/v1/setup/backup").header("x-setup-code", code);
    request.body(Body::from(b"a backup".to_vec())).unwrap()
}

#[tokio::test]
async fn a_new_box_takes_a_backup_back_for_whoever_has_the_code_and_only_then() {
    let bench = new_box();
    let code = bench.app.setup_code().expect("a new box has one");
    let wrong = bench.send(brought("AAAA-AAAA")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::FORBIDDEN, "wrong_code"));
    let mut there = std::fs::read_dir(&bench.saving.folder).unwrap().flatten();
    assert!(!there.any(|f| f.file_name().to_string_lossy().contains("uploaded")), "nothing was written");
    let answer = bench.send(brought(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let name = answer.json()["name"].as_str().unwrap().to_owned();
    let restore = async |code: &str, phrase: &str| {
        let body = json!({ "code": code, "name": name, "pass_phrase": phrase });
        bench.send(request("POST", "/api/v1/setup/restore", Some(&body))).await.status
    };
    assert_eq!(restore("AAAA-AAAA", "right").await, StatusCode::FORBIDDEN);
    assert_eq!(restore(&code, "wrong").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bench.saving.restored.lock().unwrap().is_empty());
    assert_eq!(restore(&code, "right").await, StatusCode::OK);
    assert_eq!(bench.saving.restored.lock().unwrap().join(","), name);
}

#[tokio::test]
async fn a_box_that_is_set_up_takes_no_backup_by_the_code() {
    let bench = bench();
    bench.sign_in("anna").await;
    assert_eq!(bench.send(brought("AAAA-AAAA")).await.status, StatusCode::CONFLICT);
    let body = json!({ "code": "AAAA-AAAA", "name": "x.belfry", "pass_phrase": "right" });
    let answer = bench.send(request("POST", "/api/v1/setup/restore", Some(&body))).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}
