//! The control plane of AWS as far as a cluster needs it: Redshift, Redshift Serverless, IAM, STS, three calls of EC2 and one of Secrets Manager, over real HTTP.
//!
//! It is stricter than the real one. Signatures are verified; a parameter that the API does not know is refused; so is whatever the prose of the documentation
//! forbids. Clusters take a while, a role is not visible at first, and whatever a test asks to go wrong does. A test asks it at the end what is left.
//!
//! `http` listens, `signature` verifies, `form` and `xml` speak the Query protocol, `world` is what there is; then a file a service.

mod ec2;
mod form;
mod http;
mod iam;
mod redshift;
mod rules;
mod secrets;
mod serverless;
mod signature;
mod world;
mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use world::{Manners, World};

/// The key that is accepted.
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// What it signs with.
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";
/// Who the key is.
pub const CALLER: &str = "arn:aws:iam::123456789012:user/tester";
/// The region that everything is in.
pub const REGION: &str = "us-west-2";
/// The security group that clusters get when none is named.
pub const GROUP: &str = "sg-0123456789abcdef0";

/// A running emulator; it ends with the process.
#[derive(Debug)]
pub struct Server {
    url: String,
    world: Arc<Mutex<World>>,
}

impl Server {
    /// Listens on a port of its own, with these manners.
    pub fn start(manners: Manners) -> std::io::Result<Self> {
        let world = Arc::new(Mutex::new(World::new(manners)));
        let listening = Arc::clone(&world);
        let url = http::listen(move |request| answer(request, &listening))?;
        Ok(Self { url, world })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What there is, to look at or to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer, or a refusal with its status, code and words.
type Answer = Result<String, Refusal>;

#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

pub(crate) fn refuse(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal { status, code: code.into(), message: message.into() }
}

fn answer(request: &http::Request, world: &Mutex<World>) -> http::Response {
    if request.method == "GET" {
        return match request.path.as_str() {
            // Who asks for the caller's address is told one from the documentation's range.
            "/checkip" => http::Response::text(200, "203.0.113.7\n"),
            _ => http::Response::text(404, "no such place"),
        };
    }
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let service = signature::service(request).unwrap_or_default();
    let action = action_of(request);
    world.calls.push(format!("{service}:{action}"));
    let signed = signature::verify(request, &service);
    let answered =
        signed.and_then(|()| world.fault(&action)).and_then(|()| match service.as_str() {
            "redshift" => redshift::answer(&mut world, &action, &request.body),
            "redshift-serverless" => serverless::answer(&mut world, &action, &request.body),
            "iam" => iam::answer(&mut world, &action, &request.body),
            "sts" => iam::sts(&action, &request.body),
            "ec2" => ec2::answer(&mut world, &action, &request.body),
            "secretsmanager" => secrets::answer(&world, &action, &request.body),
            other => Err(refuse(403, "SignatureDoesNotMatch", format!("no service `{other}`"))),
        });
    http::Response::of(&service, answered)
}

/// What is asked for: of JSON services it stands in a header, of the others in the form.
fn action_of(request: &http::Request) -> String {
    match request.header("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => form::Form::parse(&request.body).take("Action").unwrap_or_default(),
    }
}
