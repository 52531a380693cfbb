//! The client side of a run.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::error::Error;

pub type Http = Client<HttpConnector, Full<Bytes>>;

pub fn client() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// Returns the text at an address.
pub async fn get(http: &Http, uri: Uri) -> Result<String, Box<dyn Error>> {
    let request = Request::get(uri).body(Full::default())?;
    let response = http.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status.is_success() {
        Ok(String::from_utf8(body.to_vec())?)
    } else {
        Err(status.to_string().into())
    }
}
