//! HTTP on a real connection: header time, header size, how many connections, and requests that two servers would read
//! differently.

use std::io::Write;
use std::time::Duration;

use muster_server::Limits;

use crate::served::{everything, served};

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[test]
fn both_doors_are_open_at_once() {
    let served = served(Limits::default());
    let answer = served.exchange(LIVE);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("{\"status\":\"live\"}"), "{answer}");
    let ready = served.exchange(&LIVE.replace("livez", "readyz"));
    assert!(ready.starts_with("HTTP/1.1 200 OK\r\n"), "{ready}");
}

#[test]
fn row_69_slow_headers_and_silence_are_closed() {
    let served = served(Limits { header_time: Duration::from_millis(100), ..Limits::default() });
    for begun in ["", "GET /livez HTTP/1.1\r\n", "GET /livez HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = served.http();
        stream.write_all(begun.as_bytes()).unwrap();
        assert_eq!(everything(&mut stream).find("200 OK"), None, "{begun:?}");
    }
    // One byte now and then does not keep it open.
    let mut dripping = served.http();
    let drips = std::iter::from_fn(|| {
        std::thread::sleep(Duration::from_millis(10));
        dripping.write_all(b"x").ok()
    });
    assert!(drips.take(3000).count() < 3000);
    // Nor does one request that was answered.
    let mut kept = served.http();
    kept.write_all(LIVE.replace("Connection: close\r\n", "").as_bytes()).unwrap();
    assert!(everything(&mut kept).contains("200 OK"));
}

#[test]
fn a_large_header_is_refused() {
    let served = served(Limits { header_bytes: 10_000, ..Limits::default() });
    let with_header = |bytes: usize| LIVE.replace("Host: a", &format!("Host: a\r\nX: {}", "y".repeat(bytes)));
    assert!(served.exchange(&with_header(5_000)).starts_with("HTTP/1.1 200 "));
    let refused = served.exchange(&with_header(50_000));
    assert!(refused.starts_with("HTTP/1.1 431 ") || refused.is_empty(), "{refused}");
}

#[test]
fn row_71_a_request_of_two_lengths_is_refused_and_closed() {
    let served = served(Limits::default());
    for headers in [
        "Content-Length: 3\r\nContent-Length: 4",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: a\r\n folded",
        "Content-Length: -1",
    ] {
        let answer = served.exchange(&LIVE.replace("Host: a", &format!("Host: a\r\n{headers}")));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers}: {answer}");
    }
    // Of a length and chunks the chunks count, and what follows them is no second request.
    let both = "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
    let smuggled = served.exchange(&format!("{both}0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert!(!smuggled.contains("checks"), "{smuggled}");
}

#[test]
fn a_body_without_end_is_not_read() {
    let served = served(Limits { header_time: Duration::from_millis(300), ..Limits::default() });
    let mut stream = served.http();
    stream.write_all(b"POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let chunks = std::iter::from_fn(|| stream.write_all(chunk.as_bytes()).ok());
    // A gigabyte would be read here.
    assert!(chunks.take(250_000).count() < 250_000);
}

#[test]
fn connections_over_the_limit_are_closed_and_the_others_answered() {
    let served = served(Limits { http_connections: 3, ..Limits::default() });
    let mut held: Vec<_> = (0..3).map(|_| served.http()).collect();
    let mut surplus = served.http();
    let _ = surplus.write_all(LIVE.as_bytes());
    assert_eq!(everything(&mut surplus), "");
    for stream in &mut held {
        stream.write_all(LIVE.as_bytes()).unwrap();
        assert!(everything(stream).contains("200 OK"));
    }
}
