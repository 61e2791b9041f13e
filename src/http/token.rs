//! What a response says of the token that was sent.

use secrecy::SecretString;

use crate::exchange::Response;
use crate::secrets::error::TokenError;
use crate::secrets::grant::Issuer;
use crate::secrets::token::Token;

/// What a response says of the token that was sent.
pub(super) enum TokenIs {
    /// It does not refuse the token.
    Good,
    /// The token used to work and is refused now; this is its replacement.
    Renewed(SecretString),
    /// The token used to work and is refused now; there is no replacement.
    Refused,
}

/// What a response says of the token that was sent for an operation. A token may be good for one and not for another, so
/// that only the refusal of an operation for which it worked shows that it has expired.
pub(super) async fn judge_token(
    token: &Token,
    issuer: &dyn Issuer,
    operation: Option<usize>,
    response: &Response,
    (used, renewed): (&SecretString, bool),
) -> Result<TokenIs, TokenError> {
    if response.status != 401 {
        // A rate limiter, or a gateway before the server, may respond without looking at the token.
        if response.status < 500 && ![403, 407, 408, 425, 429].contains(&response.status) {
            token.note(operation, true);
        }
        return Ok(TokenIs::Good);
    }
    let worked_for = token.worked_for(operation);
    let refused = if worked_for == Some(true) { TokenIs::Refused } else { TokenIs::Good };
    // A token that never worked is wrong, not expired.
    if !token.worked() || worked_for == Some(false) {
        return Ok(refused);
    }
    // A token that was just obtained is not obtained again.
    if renewed {
        token.note(operation, false);
        return Ok(refused);
    }
    tracing::info!(token = token.name(), "refused, though it used to work");
    Ok(token.another(used, issuer).await?.map_or(refused, TokenIs::Renewed))
}
