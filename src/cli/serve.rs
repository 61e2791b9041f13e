//! `serve`: the reference server by hand.

use clap::Args as ClapArgs;

use super::options::start;
use super::{Done, print};
use crate::gate::Exit;
use crate::http::block_on;
use crate::reference;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The port on the loopback address; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Make the server deviate (see `list --faults`); may be repeated
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,

    /// Make the server differ without breaking the contract (see `list --variations`); may be repeated
    #[arg(long, alias = "variation", value_name = "NAME")]
    variation: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Done {
    let server = start(&args.fault, &args.variation, args.port)?;
    print(&welcome(&server.url));
    block_on(async {
        // Without a signal handler the process ends at the signal anyway.
        let _ = tokio::signal::ctrl_c().await;
    })?;
    server.shutdown();
    Ok(Exit::Conformant)
}

/// Everything that a client has to know, ready to be pasted.
fn welcome(url: &str) -> String {
    let toml = reference::settings_toml(url);
    let exports: String =
        reference::TOKENS.iter().map(|(variable, token)| format!("export {variable}={token}\n")).collect();
    let try_it = reference::curl_line(url);
    format!(
        "The reference server listens at {url}   (Ctrl-C ends it)\n\n\
         # Tokens: they are worth nothing anywhere else\n{exports}\n\
         # Try it\n{try_it}\n\n\
         # probity.toml, to check it as any other server\n{toml}"
    )
}
