//! The browser's WebSocket, with [`wire`]'s events and commands instead of bytes. What to do with them is not here.

use super::machine::Input;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};
use wire::{Command, codec};

/// What a page closes with (RFC 6455, section 7.4.1).
const NORMAL: u16 = 1000;

/// An open or opening connection. Dropping it closes it, and nothing of it is heard afterwards.
pub(crate) struct Socket {
    socket: WebSocket,
    // The browser calls them: they must live as long as the socket.
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Begins to connect to this page's own host. `heard` is called with what happens, never before this returns.
    ///
    /// # Errors
    /// When the browser refuses the address.
    pub(crate) fn open(heard: impl Fn(Input) + Copy + 'static) -> Option<Self> {
        let location = leptos::prelude::location();
        let scheme = if location.protocol().ok()? == "https:" { "wss:" } else { "ws:" };
        let address = format!("{scheme}//{}/ws", location.host().ok()?);
        let socket = WebSocket::new_with_str(&address, wire::SUBPROTOCOL_POSTCARD).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);

        let on_open = Closure::<dyn FnMut()>::new(move || heard(Input::Opened));
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let bytes = js_sys::Uint8Array::new(&message.data()).to_vec();
            match codec::decode_events(&bytes) {
                Ok(events) => events.into_iter().map(Input::Event).for_each(heard),
                Err(_) => heard(Input::Malformed),
            }
        });
        // An error is always followed by a close, and says no more than it.
        let on_close =
            Closure::<dyn FnMut(CloseEvent)>::new(move |close: CloseEvent| heard(Input::Closed { code: close.code() }));
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a command. A socket that is closing drops it; its close event follows.
    pub(crate) fn send(&self, command: &Command) {
        let _ = self.socket.send_with_u8_array(&codec::encode_command(command));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Fails only for codes that a page may not use.
        let _ = self.socket.close_with_code(NORMAL);
    }
}
