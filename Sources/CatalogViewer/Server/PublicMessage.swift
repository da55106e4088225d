/// Messages of the libraries as pages show them.
package enum PublicMessage {
    /// A message in which settings, which stand in backticks, are called by their names: those of a form's fields.
    package static func plain(_ message: String) -> String { message.replacing("`", with: "") }

    /// A message with only the last part of every path.
    package static func withoutFolders(_ message: String) -> String {
        // A message begins with the file that it is about, whose folders may have spaces.
        var message = message
        if message.hasPrefix("/") || message.hasPrefix("./") || message.hasPrefix("../") || message.hasPrefix("~"),
            let colon = message.firstRange(of: ": "), let slash = message[..<colon.lowerBound].lastIndex(of: "/")
        {
            message.removeSubrange(...slash)
        }
        return message.replacing(/(^|[\s"'(\[=])(?:~|\.{1,2})?\/(?:[^\/\s"'():;,]+\/)*([^\/\s"'():;,]+)/) { match in
            match.1 + match.2
        }
    }
}
