import Foundation

/// The beginning of a text on one line, for messages: control characters and line ends become spaces.
func excerpt(_ text: String, limit: Int = 200) -> String {
    // A strange text may be one character of a million scalars, so scalars are counted.
    let beginning = text.unicodeScalars.prefix(limit)
    var line = String.UnicodeScalarView()
    for scalar in beginning {
        let isPlain = !scalar.properties.isWhitespace && ![.control, .format, .lineSeparator, .paragraphSeparator]
            .contains(scalar.properties.generalCategory)
        if isPlain { line.append(scalar) } else if line.last != " " { line.append(" ") }
    }
    return String(line) + (beginning.endIndex < text.unicodeScalars.endIndex ? "…" : "")
}

/// The beginning of a body, as text where it is text.
func excerpt(of body: Data, limit: Int = 200) -> String {
    body.isEmpty ? "the body is empty" : excerpt(String(decoding: body.prefix(4 * limit), as: UTF8.self), limit: limit)
}
