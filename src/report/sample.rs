pub(crate) fn sample() -> super::Report { todo!() }
