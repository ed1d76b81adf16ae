//! What `/ws` makes of frames that no client library sends. `make autobahn` tests the frames by themselves, and in full.

use crate::common::{
    Instance,
    raw::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Raw, TEXT, frame},
};
use tokio::io::AsyncWriteExt;
use wire::{Event, From};

/// Reserved bits (RFC 6455, section 5.2).
const RSV: [u8; 3] = [0x40, 0x20, 0x10];
const PROTOCOL: u16 = 1002;
const INVALID: u16 = 1007;
const TOO_LARGE: u16 = 1009;
const ASK: &[u8] = br#"{"ping": "7"}"#;

fn with_length(first: u8, length: &[u8]) -> Vec<u8> {
    [&[first], length, &[0; 4]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_frames_are_closed_with_the_code_that_says_why_and_others_go_on() {
    let instance = Instance::start().await;
    let mut bystander = instance.tab().await;
    bystander.subscribe(From::Now).await;

    let mut cases: Vec<(&str, u16, Vec<u8>)> = vec![
        ("no mask", PROTOCOL, [&[FIN | TEXT, ASK.len() as u8], ASK].concat()),
        ("nothing to continue", PROTOCOL, frame(FIN | CONTINUATION, ASK)),
        ("a message in a message", PROTOCOL, [frame(TEXT, b"{"), frame(FIN | TEXT, ASK)].concat()),
        ("a ping in fragments", PROTOCOL, frame(PING, b"")),
        ("a close in fragments", PROTOCOL, frame(CLOSE, b"")),
        ("a long ping", PROTOCOL, frame(FIN | PING, &[0; 126])),
        ("half a close code", PROTOCOL, frame(FIN | CLOSE, &[3])),
        ("no UTF-8", INVALID, frame(FIN | TEXT, b"{\"ping\": \"\xc3\x28\"}")),
        ("half a character", INVALID, [frame(TEXT, b"\xe8\xa8"), frame(FIN | CONTINUATION, b"")].concat()),
        ("no UTF-8 in the reason", INVALID, frame(FIN | CLOSE, b"\x03\xe8\xff")),
        ("too large", TOO_LARGE, frame(FIN | TEXT, &vec![b' '; wire::MAX_COMMAND_MESSAGE + 1])),
        // Nothing of it is waited for, and no memory is set aside.
        (
            "said to be too large",
            TOO_LARGE,
            with_length(FIN | TEXT, &[0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ),
        (
            "too large in fragments",
            TOO_LARGE,
            [frame(TEXT, &vec![b' '; wire::MAX_COMMAND_MESSAGE]), frame(FIN | CONTINUATION, b" ")].concat(),
        ),
    ];
    cases.extend(RSV.map(|bit| ("a reserved bit", PROTOCOL, frame(FIN | bit | TEXT, ASK))));
    cases.extend([3, 7, 11, 15].map(|opcode| ("a reserved opcode", PROTOCOL, frame(FIN | opcode, b""))));
    cases.extend(
        [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]
            .map(|code: u16| ("a code that nobody may send", PROTOCOL, frame(FIN | CLOSE, &code.to_be_bytes()))),
    );
    for (what, code, bytes) in cases {
        let mut tab = Raw::connect(instance.address).await;
        tab.send_bytes(&bytes).await;
        assert_eq!(tab.closed().await, Some(code), "{what}: {:x?}", &bytes[..bytes.len().min(20)]);
    }

    instance.send("still here").await;
    assert_eq!(bystander.records(1).await.len(), 1);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_answered_with_its_code() {
    let instance = Instance::start().await;
    for code in [1000, 1001, 3000, 4999] {
        let mut tab = Raw::connect(instance.address).await;
        tab.send(FIN | CLOSE, &u16::to_be_bytes(code)).await;
        assert_eq!(tab.closed().await, Some(code));
    }
    let mut tab = Raw::connect(instance.address).await;
    tab.send(FIN | CLOSE, b"").await;
    assert_eq!(tab.frame_of(CLOSE).await.as_deref(), Some(&[][..]));
    assert_eq!(tab.frame().await, None);
    instance.stop().await;
}

/// Whether a pong comes that is the answer to [`ASK`].
async fn answers(tab: &mut Raw) -> bool {
    let answer = async {
        loop {
            let text = tab.frame_of(TEXT).await.unwrap();
            if let Event::Pong(number) = wire::codec::event_from_json(&String::from_utf8(text).unwrap()).unwrap() {
                return number == 7;
            }
        }
    };
    answer.await
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_arrive_however_they_are_cut() {
    let instance = Instance::start().await;
    let mut tab = Raw::connect(instance.address).await;
    // Byte by byte, each in a packet of its own.
    tab.stream.set_nodelay(true).unwrap();
    for byte in frame(FIN | TEXT, ASK) {
        tab.send_bytes(&[byte]).await;
    }
    assert!(answers(&mut tab).await);
    // In fragments of one byte, some of them empty, and pings between them: these are answered before the message is whole.
    for (n, byte) in ASK.iter().enumerate() {
        tab.send(if n == 0 { TEXT } else { CONTINUATION }, &[*byte]).await;
        tab.send(CONTINUATION, b"").await;
        tab.send(FIN | PING, &[n as u8; 125]).await;
        tab.send(FIN | PONG, b"nobody asked").await;
        assert_eq!(tab.frame_of(PONG).await.unwrap(), [n as u8; 125]);
    }
    tab.send(FIN | CONTINUATION, b"").await;
    assert!(answers(&mut tab).await);
    // Two in one packet, and the most that a command may have.
    let padded = [ASK, &vec![b' '; wire::MAX_COMMAND_MESSAGE - ASK.len()]].concat();
    tab.send_bytes(&[frame(FIN | TEXT, ASK), frame(FIN | TEXT, &padded)].concat()).await;
    assert!(answers(&mut tab).await && answers(&mut tab).await);
    // A binary message is none in JSON.
    tab.send(FIN | BINARY, ASK).await;
    assert_eq!(tab.closed().await, Some(4400));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pings_and_does_not_read_stops_at_the_buffers_of_the_system() {
    let instance = Instance::start_with(|config| config.server.stall_limit_seconds = 1).await;
    let mut tab = Raw::connect_with_little_room(instance.address).await;
    let ping = frame(FIN | PING, &[0; 125]);
    let flood = async { while tab.stream.write_all(&ping).await.is_ok() {} };
    tokio::time::timeout(crate::common::PATIENCE, flood).await.expect("the server does not take pings for ever");
    instance.stop().await;
}
