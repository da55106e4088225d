import Foundation

/// The beginning of a text on one line, for messages: control characters and line ends become spaces.
func excerpt(_ text: String, limit: Int = 200) -> String {
    // A strange text may be one character of a million scalars, so scalars are counted.
    let beginning = text.unicodeScalars.prefix(limit)
    let unprintable: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
    var line = String.UnicodeScalarView()
    for scalar in beginning {
        if scalar.properties.isWhitespace || unprintable.contains(scalar.properties.generalCategory) {
            if line.last != " " { line.append(" ") }
        } else {
            line.append(scalar)
        }
    }
    return String(line) + (beginning.endIndex < text.unicodeScalars.endIndex ? "…" : "")
}

/// The beginning of a body, as text where it is text.
func excerpt(of body: Data, limit: Int = 200) -> String {
    body.isEmpty ? "the body is empty" : excerpt(String(decoding: body.prefix(4 * limit), as: UTF8.self), limit: limit)
}
