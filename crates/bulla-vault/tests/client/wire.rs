//! The way to the server, with a place at which it breaks.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bulla_key::Locator;
use bulla_vault::transport::{Request, Response, Transport, TransportError};
use bulla_vault::{LocatorFiles, LocatorStore};

use crate::server::Server;

/// How many steps the client does before it is killed: each call and each change of a locator is
/// two, before it and after it.
#[derive(Clone)]
pub(crate) struct Life(Rc<Cell<Option<u32>>>);

impl Life {
    pub(crate) fn of(steps: u32) -> Life {
        Life(Rc::new(Cell::new(Some(steps))))
    }

    /// False from when the client is dead.
    fn step(&self) -> bool {
        let left = self.0.get().and_then(|left| left.checked_sub(1));
        self.0.set(left);
        left.is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.get().is_none()
    }
}

/// Calls the server, until the client dies.
pub(crate) struct Wire {
    pub(crate) server: Rc<RefCell<Server>>,
    life: Life,
    /// What becomes of the next calls; those behind them get through.
    pub(crate) weather: Vec<Weather>,
    pub(crate) waits: Vec<Duration>,
    /// Changes an answer on its way.
    pub(crate) tamper: Option<Tamper>,
}

/// Changes an answer, knowing the call's path.
pub(crate) type Tamper = Box<dyn FnMut(&str, &mut Response)>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    Fair,
    RequestLost,
    ReplyLost,
}

impl Wire {
    pub(crate) fn new(server: &Rc<RefCell<Server>>, life: &Life) -> Wire {
        let (server, life) = (server.clone(), life.clone());
        Wire { server, life, weather: Vec::new(), waits: Vec::new(), tamper: None }
    }
}

impl Transport for Wire {
    fn send(&mut self, request: &Request<'_>) -> Result<Response, TransportError> {
        let lost = || Err(TransportError::Lost { reason: "weather".into() });
        let dead = || Err(TransportError::Permanent { reason: "killed".into() });
        let weather = if self.weather.is_empty() { Weather::Fair } else { self.weather.remove(0) };
        if !self.life.step() {
            return dead();
        }
        if matches!(weather, Weather::RequestLost) {
            return lost();
        }
        let mut answer = self.server.borrow_mut().respond(request);
        if !self.life.step() {
            return dead();
        }
        if matches!(weather, Weather::ReplyLost) {
            return lost();
        }
        if let Some(tamper) = &mut self.tamper {
            tamper(request.path, &mut answer);
        }
        Ok(answer)
    }

    fn sleep(&mut self, time: Duration) {
        self.waits.push(time);
    }
}

/// Keeps locators in files, until the client dies.
pub(crate) struct MortalLocators {
    pub(crate) files: LocatorFiles,
    pub(crate) life: Life,
}

impl MortalLocators {
    fn step(&self) -> io::Result<()> {
        if self.life.step() { Ok(()) } else { Err(io::Error::other("killed")) }
    }
}

impl LocatorStore for MortalLocators {
    fn load(&self) -> io::Result<Vec<Locator>> {
        self.files.load()
    }

    fn stage(&mut self, new: &Locator) -> io::Result<()> {
        self.step()?;
        self.files.stage(new)?;
        self.step()
    }

    fn promote(&mut self) -> io::Result<()> {
        self.step()?;
        self.files.promote()?;
        self.step()
    }
}
