import Crypto
import Foundation

/// The files beside the pages.
enum Assets {
    /// The address of the style sheet; it names its content, so that it can be kept for ever.
    static let style = Address(["style.css"], [("v", digest(PackageResources.style_css))])
    /// The address of the script, likewise.
    static let script = Address(["script.js"], [("v", digest(PackageResources.script_js))])

    /// The file of a name.
    static func response(_ name: String) -> ViewerResponse? {
        let (type, bytes): (String, [UInt8])
        switch name {
        case "style.css": (type, bytes) = ("text/css; charset=utf-8", PackageResources.style_css)
        case "script.js": (type, bytes) = ("text/javascript; charset=utf-8", PackageResources.script_js)
        case "icon.svg", "favicon.ico": (type, bytes) = ("image/svg+xml", PackageResources.icon_svg)
        default: return nil
        }
        return ViewerResponse(status: 200, type: type, body: bytes, isFixed: true)
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: Data(bytes)).prefix(6).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
