package profiles

// TraceFormat is how a trace is written.
type TraceFormat string

// The formats of a trace.
const (
	AnyFormat        TraceFormat = "auto" // found out from its beginning
	CSVFormat        TraceFormat = "csv"
	AccessLogFormat  TraceFormat = "log"
	PrometheusFormat TraceFormat = "prometheus"
)

// ParseTraceFormat reads one of the formats.
func ParseTraceFormat(s string) (TraceFormat, error) {
	switch f := TraceFormat(s); f {
	case AnyFormat, CSVFormat, AccessLogFormat, PrometheusFormat:
		return f, nil
	}
	return "", badValue(s, "auto, csv, log or prometheus")
}

// formatOf tells a format by the beginning of the file.
func formatOf(begin []byte) TraceFormat {
	switch {
	case isAccessLog(begin):
		return AccessLogFormat
	case isJSON(begin):
		return PrometheusFormat
	}
	return CSVFormat
}
