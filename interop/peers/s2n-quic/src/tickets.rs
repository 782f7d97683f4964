//! Session tickets of a client: s2n-tls hands them out and takes one back through callbacks.

use std::sync::{Arc, Mutex};

use s2n_quic::provider::tls::s2n_tls::callbacks::{
    ConnectionFuture, SessionTicket, SessionTicketCallback,
};
use s2n_quic::provider::tls::s2n_tls::config::ConnectionInitializer;
use s2n_quic::provider::tls::s2n_tls::connection::Connection;
use s2n_quic::provider::tls::s2n_tls::error::Error;
use std::pin::Pin;

#[derive(Clone, Default)]
pub struct Tickets(Arc<Mutex<Option<Vec<u8>>>>);

impl Tickets {
    pub fn any(&self) -> bool {
        self.0.lock().is_ok_and(|ticket| ticket.is_some())
    }
}

impl SessionTicketCallback for Tickets {
    fn on_session_ticket(&self, _connection: &mut Connection, ticket: &SessionTicket) {
        let Ok(length) = ticket.len() else { return };
        let mut bytes = vec![0; length];
        if ticket.data(&mut bytes).is_ok() {
            if let Ok(mut slot) = self.0.lock() {
                *slot = Some(bytes);
            }
        }
    }
}

impl ConnectionInitializer for Tickets {
    fn initialize_connection(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<Pin<Box<dyn ConnectionFuture>>>, Error> {
        let ticket = self.0.lock().ok().and_then(|mut slot| slot.take());
        if let Some(ticket) = ticket {
            connection.set_session_ticket(&ticket)?;
        }
        Ok(None)
    }
}
