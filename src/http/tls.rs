//! Explanations of certificate errors.

use rustls::{AlertDescription, CertificateError, Error};

/// Explains why a connection failed, and what to do, if TLS is the cause.
pub(super) fn advice(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    // The error inside an I/O error is not among its sources.
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
