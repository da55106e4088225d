import Foundation
import Interchange
import JSON

/// Data of a folder of pages: a script that hands over text, since a page opened from a disk may load scripts and nothing
/// else. The text is JSON, compressed by gzip and written in base64; `static.js` reads it.
enum ScriptedData {
    /// The script.
    ///
    /// - Parameter name: the file without `.js`, as pages beside its folder name it.
    static func script(_ name: String, _ value: JSONValue) -> String {
        let packed = Data(GzipStream().member(JSONWriter.canonical.bytes(value))).base64EncodedString()
        return "routesae.take(\"\(name)\",\"\(packed)\");\n"
    }
}
