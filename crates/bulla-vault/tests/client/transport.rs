//! A transport to the in-memory server that loses messages, and kills the client after a number of
//! steps.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bulla_key::Locator;
use bulla_vault::transport::{Request, Response, Transport, TransportError};
use bulla_vault::{LocatorFiles, LocatorStore};

use crate::server::Server;

/// The number of steps until the client is killed. Each request and each locator change has one
/// step before it and one after it.
#[derive(Clone)]
pub(crate) struct StepBudget(Rc<Cell<Option<u32>>>);

impl StepBudget {
    pub(crate) fn new(steps: u32) -> StepBudget {
        StepBudget(Rc::new(Cell::new(Some(steps))))
    }

    /// Takes a step. Returns `false` if the client is killed.
    fn step(&self) -> bool {
        let left = self.0.get().and_then(|left| left.checked_sub(1));
        self.0.set(left);
        left.is_some()
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.0.get().is_none()
    }
}

/// Delivers requests to the server until the client is killed.
pub(crate) struct TestTransport {
    pub(crate) server: Rc<RefCell<Server>>,
    budget: StepBudget,
    /// The fate of each of the next requests. All later requests are delivered.
    pub(crate) deliveries: Vec<Delivery>,
    /// The durations of all sleeps.
    pub(crate) waits: Vec<Duration>,
    pub(crate) tamper: Option<Tamper>,
}

/// Changes a response, given the path of its request.
pub(crate) type Tamper = Box<dyn FnMut(&str, &mut Response)>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery {
    Delivered,
    RequestLost,
    ResponseLost,
}

impl TestTransport {
    pub(crate) fn new(server: &Rc<RefCell<Server>>, budget: &StepBudget) -> TestTransport {
        let (server, budget) = (server.clone(), budget.clone());
        TestTransport { server, budget, deliveries: Vec::new(), waits: Vec::new(), tamper: None }
    }
}

impl Transport for TestTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<Response, TransportError> {
        let lost = || Err(TransportError::Lost { reason: "lost".into() });
        let killed = || Err(TransportError::Permanent { reason: "killed".into() });
        let delivery = match self.deliveries.is_empty() {
            true => Delivery::Delivered,
            false => self.deliveries.remove(0),
        };
        if !self.budget.step() {
            return killed();
        }
        if matches!(delivery, Delivery::RequestLost) {
            return lost();
        }
        let mut response = self.server.borrow_mut().respond(request);
        if !self.budget.step() {
            return killed();
        }
        if matches!(delivery, Delivery::ResponseLost) {
            return lost();
        }
        if let Some(tamper) = &mut self.tamper {
            tamper(request.path, &mut response);
        }
        Ok(response)
    }

    fn sleep(&mut self, duration: Duration) {
        self.waits.push(duration);
    }
}

/// Stores locators in files until the client is killed.
pub(crate) struct CrashingLocators {
    pub(crate) files: LocatorFiles,
    pub(crate) budget: StepBudget,
}

impl CrashingLocators {
    fn step(&self) -> io::Result<()> {
        if self.budget.step() { Ok(()) } else { Err(io::Error::other("killed")) }
    }
}

impl LocatorStore for CrashingLocators {
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
