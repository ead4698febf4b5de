/// Declares the modules of targets. Each has `OUTPUT`, which are its keys as an output and what is told of it, and `output`, which
/// takes it from a configuration; `SINK` and `sink` are the same for rows.
macro_rules! targets {
    (
        alerts and rows: $($both:ident),+;
        alerts: $($output:ident),+;
        rows: $($sink:ident),+;
    ) => {
        $(pub(crate) mod $both;)+
        $(pub(crate) mod $output;)+
        $(pub(crate) mod $sink;)+

        /// The sorts of outputs.
        pub(crate) static OUTPUTS: &[Variant] = &[$($both::OUTPUT,)+ $($output::OUTPUT,)+];

        /// What they are called.
        pub(crate) static OUTPUT_TYPES: Words =
            Words { current: &[$($both::OUTPUT.name,)+ $($output::OUTPUT.name,)+], older: &[] };

        /// The sorts of sinks.
        pub(crate) static SINKS: &[Variant] = &[$($both::SINK,)+ $($sink::SINK,)+];

        /// What they are called.
        pub(crate) static BACKENDS: Words =
            Words { current: &[$($both::SINK.name,)+ $($sink::SINK.name,)+], older: &[] };

        /// Takes an output of this sort; none if it cannot be one, and the report says why.
        pub(crate) fn output(
            sort: &Variant,
            given: &Given<'_>,
            elsewhere: &mut Elsewhere,
            report: &mut Report,
        ) -> Option<Arc<dyn Target>> {
            $(if sort.name == $both::OUTPUT.name {
                return $both::output(given, elsewhere, report);
            })+
            $(if sort.name == $output::OUTPUT.name {
                return $output::output(given, elsewhere, report);
            })+
            None
        }

        /// Takes a sink of this sort; none if it cannot be one, and the report says why.
        pub(crate) fn sink(
            sort: &Variant,
            given: &Given<'_>,
            elsewhere: &mut Elsewhere,
            report: &mut Report,
        ) -> Option<Arc<dyn Target>> {
            $(if sort.name == $both::SINK.name {
                return $both::sink(given, elsewhere, report);
            })+
            $(if sort.name == $sink::SINK.name {
                return $sink::sink(given, elsewhere, report);
            })+
            None
        }
    };
}
