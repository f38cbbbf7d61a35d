//! Sign-in over the wire protocol: password in clear text, MD5, or Redshift's SHA-256 digest.

use std::io::{BufReader, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use sha2::Sha256;

use super::error;
use super::message::{self, Message};
use sparkify_config::{Secret, Server, TlsMode};
use sparkify_warehouse::WarehouseError;

/// Authentication request codes of the protocol. 13 is an extension of Redshift, for users whose
/// password is stored as a SHA-256 digest.
const AUTH_OK: u32 = 0;
const AUTH_CLEARTEXT: u32 = 3;
const AUTH_MD5: u32 = 5;
const AUTH_DIGEST: u32 = 13;
/// Number of the algorithm SHA-256 in a request for a digest.
const DIGEST_SHA256: u32 = 0;

/// Signs in and waits until the server is ready. Returns the key for cancel requests.
pub(super) fn sign_in<S: Read + Write>(
    stream: &mut BufReader<S>,
    server: &Server,
) -> Result<[u8; 8], WarehouseError> {
    let broken = |error: std::io::Error| error::no_session(server, &error);
    let send = |stream: &mut BufReader<S>, bytes: &[u8]| {
        let stream = stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(broken)
    };
    let mut key = [0; 8];
    send(stream, &message::start(&server.user, &server.database, &server.application_name))?;
    loop {
        match message::read(stream).map_err(broken)? {
            Message::Authentication(AUTH_OK, _) => {}
            Message::Authentication(method, data) => {
                let response = password_response(server, method, &data)?;
                send(stream, &response)?;
            }
            Message::Key(given) => key = given,
            Message::Failed(error) => return Err(error::sign_in_refused(server, &error)),
            Message::Notice(notice) => tracing::debug!("server notice: {}", notice.message),
            Message::Ready => return Ok(key),
            _ => {}
        }
    }
}

/// Returns the message with the password in the form that the authentication method requires.
fn password_response(server: &Server, method: u32, data: &[u8]) -> Result<Vec<u8>, WarehouseError> {
    let digest = (method == AUTH_DIGEST).then(|| DigestRequest::parse(data)).flatten();
    if ![AUTH_CLEARTEXT, AUTH_MD5].contains(&method) && digest.is_none() {
        return Err(error::unsupported_authentication(server, method));
    }
    let Some(password) = server.password.as_ref().map(Secret::reveal) else {
        return Err(error::no_password(server));
    };
    if let Some(request) = digest {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Amazon's drivers send the time as their nonce.
        let nonce = since.as_millis().to_string();
        let digest = request.respond(password.as_bytes(), nonce.as_bytes());
        return Ok(message::digest(&digest, nonce.as_bytes()));
    }
    if method == AUTH_CLEARTEXT {
        // A password in clear text is sent only over TLS or to this machine.
        if server.tls == TlsMode::Disable && !server.is_local() {
            return Err(error::cleartext_refused(server));
        }
        return Ok(message::password(password));
    }
    // md5(md5(password + user) + salt), as PostgreSQL defines it.
    let inner = hex(&Md5::new().chain_update(password).chain_update(&server.user).finalize());
    let outer = Md5::new().chain_update(inner).chain_update(data.get(..4).unwrap_or_default());
    Ok(message::password(&format!("md5{}", hex(&outer.finalize()))))
}

/// Request for a digest of the password.
#[derive(Debug, PartialEq, Eq)]
struct DigestRequest<'a> {
    salt: &'a [u8],
    nonce: &'a [u8],
}

impl<'a> DigestRequest<'a> {
    /// Parses algorithm, salt and nonce of the server, as Amazon's drivers do. Returns `None` for
    /// an unknown algorithm.
    fn parse(data: &'a [u8]) -> Option<Self> {
        let (algorithm, rest) = number(data)?;
        let (salt, rest) = bytes(rest)?;
        let (nonce, _) = bytes(rest)?;
        (algorithm == DIGEST_SHA256).then_some(Self { salt, nonce })
    }

    /// Returns the digest of the digest of password and salt, with both nonces.
    fn respond(&self, password: &[u8], client_nonce: &[u8]) -> [u8; 32] {
        let stored = Sha256::new().chain_update(password).chain_update(self.salt).finalize();
        let response = Sha256::new().chain_update(stored).chain_update(self.nonce);
        response.chain_update(client_nonce).finalize().into()
    }
}

fn number(data: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = data.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*head), rest))
}

/// Splits off bytes that follow their length.
fn bytes(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(data)?;
    rest.split_at_checked(length as usize)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(algorithm: u32, salt: &[u8], nonce: &[u8]) -> Vec<u8> {
        let with_length =
            |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
        [algorithm.to_be_bytes().to_vec(), with_length(salt), with_length(nonce)].concat()
    }

    /// The expected value is that of `ExtensibleDigest.encode` in `redshift_connector` 2.2.0.
    #[test]
    fn the_digest_is_that_of_amazons_driver() {
        let data = request(0, b"salt", b"server");
        let parsed = DigestRequest::parse(&data).unwrap();
        assert_eq!(parsed, DigestRequest { salt: b"salt", nonce: b"server" });
        let digest = parsed.respond("Passw\u{f6}rd1".as_bytes(), b"1764300000000");
        assert_eq!(
            hex(&digest),
            "845ea8f89a557721bf7c2f36d825d1d417e198a482bda22dddba76ff3f54ef55"
        );
    }

    #[test]
    fn an_unknown_algorithm_and_a_truncated_request_are_refused() {
        let data = request(0, b"salt", b"server");
        for end in 0..data.len() {
            assert_eq!(DigestRequest::parse(&data[..end]), None);
        }
        assert_eq!(DigestRequest::parse(&request(1, b"salt", b"server")), None);
    }
}
