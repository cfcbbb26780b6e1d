//! Contacts: typed, found, imported, refused.
use super::common::{bench, with};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_contact_is_found_by_its_number_however_that_is_written() {
    let bench = bench();
    let ada = bench.sign_in("ada").await;
    let li = json!({ "numbers": ["030 123456"], "name": "Li Na", "class": "vip" });
    let made = bench.ask(&ada, "POST", "/api/v1/contacts", Some(&li)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert_eq!(made.json()["numbers"][0], "+4930123456");
    let found = bench.get(&ada, "/api/v1/contacts/of/004930123456").await;
    assert_eq!(found.json()["name"], "Li Na");
    let taken = bench.ask(&ada, "POST", "/api/v1/contacts", Some(&li)).await;
    assert_eq!(taken.json()["error"]["problems"][0]["code"], "taken");
    let path = format!("/api/v1/contacts/{}", made.json()["contact"]);
    let change = json!({ "numbers": ["+4930123456", "call me"], "name": "Li Na" });
    assert_eq!(bench.ask(&ada, "PUT", &path, Some(&change)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let change = json!({ "numbers": ["+4930123456"], "name": "Li Na", "notes": "speaks softly" });
    assert_eq!(bench.ask(&ada, "PUT", &path, Some(&change)).await.json()["notes"], "speaks softly");
    assert_eq!(bench.ask(&ada, "DELETE", &path, None).await.status, StatusCode::FORBIDDEN, "an agent");
    let sam = bench.sign_in("sam").await;
    assert_eq!(bench.ask(&sam, "DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get(&ada, "/api/v1/contacts/of/+4930123456").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_is_taken_line_by_line_and_each_refused_line_is_told() {
    let bench = bench();
    let sam = bench.sign_in("sam").await;
    let list = "name,number,class\nLi Na,030123456,vip\n,030999999,\nBo,call me,\n";
    let request = Request::builder().method("POST").uri("/api/v1/contacts/import").header("host", "box.lan");
    let request = request.header("content-type", "text/csv").body(Body::from(list)).unwrap();
    let done = bench.send(with(&sam, request)).await.json();
    assert_eq!((&done["taken"], &done["refused"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&done["lines"][0]["line"], &done["lines"][0]["problem"]["field"]),
        (&json!(3), &json!("name"))
    );
    assert_eq!(done["lines"][1]["problem"]["code"], "wrong_number");
    let all = bench.get(&sam, "/api/v1/contacts?q=Li").await.json();
    assert_eq!(all["items"][0]["class"], "vip");
}
