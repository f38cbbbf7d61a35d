//! Access control: signatures, regions, session tokens, public and requester-pays buckets.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::{Request, Response};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};

use crate::fault::error_response;
use crate::protocol::Buckets;
use crate::state::State;

/// Builds the S3 service with access control.
pub(crate) fn service(state: &Arc<State>) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Buckets(Arc::clone(state)));
    builder.set_auth(Keys(Arc::clone(state)));
    builder.set_access(Access(Arc::clone(state)));
    builder.set_host(Hosts);
    builder.build()
}

/// Host names: `localhost` is the server, and `BUCKET.localhost` addresses a bucket.
struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        Ok(match name.strip_suffix(".localhost") {
            Some(bucket) => VirtualHost::new("localhost").with_bucket(bucket),
            None => VirtualHost::new(name),
        })
    }
}

/// Access keys.
struct Keys(Arc<State>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, key: &str) -> S3Result<SecretKey> {
        let secret = self.0.secret(key).ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        Ok(secret.as_str().into())
    }
}

/// Rule for unsigned requests and for requester-pays buckets.
struct Access(Arc<State>);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let pays = context.headers().contains_key("x-amz-request-payer");
        let signed = context.credentials().is_some();
        if !signed && !self.0.is_public.load(Ordering::Relaxed)
            || self.0.requester_pays.load(Ordering::Relaxed) && !pays
        {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}

/// Returns an error response for a signature for another region, or an expired session token.
pub(crate) fn rejection(request: &Request<Incoming>, state: &State) -> Option<Response<Body>> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let region = state.region.lock().expect("a lock").clone();
    let scope = format!("/{region}/s3/aws4_request");
    if !region.is_empty() && header("authorization").is_some_and(|signed| !signed.contains(&scope))
    {
        let details = format!("<Region>{region}</Region>");
        return Some(error_response(400, "AuthorizationHeaderMalformed", &details));
    }
    let expired = state.expired_token.lock().expect("a lock").clone();
    if expired.is_some() && header("x-amz-security-token") == expired.as_deref() {
        return Some(error_response(400, "ExpiredToken", ""));
    }
    None
}
