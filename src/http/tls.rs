//! What is wrong with a connection's certificates, in words.

use rustls::{AlertDescription, CertificateError, Error};

/// What to say of an error in the making of a connection, and what to do, if TLS is at fault.
pub(super) fn advice(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    // What stands within an input or output error is no source of it.
    if let Some(within) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return advice(within);
    }
    Some(match cause.downcast_ref::<Error>()? {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the server's certificate is not signed by an authority that is trusted here: \
                name the authority's certificate with ca_file (--ca-file)"
                    .to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another host name: check the host in the URL".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired, or the clock of this machine is wrong".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet, or the clock of this machine is wrong".to_owned()
            }
            other => format!("the server's certificate is not trusted ({other})"),
        },
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown,
        ) => "the server rejects this client: it may require another client_certificate \
              (--client-certificate)"
            .to_owned(),
        Error::InvalidMessage(_) => {
            "the server does not speak TLS: the URL should probably begin with http://".to_owned()
        }
        _ => return None,
    })
}
