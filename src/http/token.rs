//! What a response says of the token that was sent.

use secrecy::SecretString;

use crate::exchange::Response;
use crate::secrets::token::{Token, TokenError};

/// What a response says of the token that was sent.
pub(super) enum TokenIs {
    /// It does not refuse the token.
    Good,
    /// The token used to work and is refused now; this is its replacement.
    Renewed(SecretString),
    /// The token used to work and is refused now; there is no replacement.
    Refused,
}

/// What a response says of the token that was sent.
pub(super) async fn judge_token(
    token: &Token,
    response: &Response,
    used: &SecretString,
    renewed: bool,
) -> Result<TokenIs, TokenError> {
    if response.status != 401 {
        // A rate limiter, or a gateway before the server, may respond without looking at the token.
        if response.status < 500 && ![403, 407, 408, 425, 429].contains(&response.status) {
            token.works();
        }
        return Ok(TokenIs::Good);
    }
    // A token that never worked is wrong, not expired.
    if !token.worked() {
        return Ok(TokenIs::Good);
    }
    // A token that was just obtained is not obtained again.
    if renewed {
        return Ok(TokenIs::Refused);
    }
    tracing::info!(token = token.name(), "refused, though it used to work");
    Ok(token.another(used).await?.map_or(TokenIs::Refused, TokenIs::Renewed))
}
