import ActivationPipeline
import Foundation

/// The files beside the pages.
enum Assets {
    /// A file with its address, which names its content, so that it can be kept for ever.
    private struct Asset {
        let name: String
        let type: String
        let bytes: [UInt8]
        let digest: String

        init(_ name: String, _ type: String, _ bytes: [UInt8]) {
            (self.name, self.type, self.bytes) = (name, type, bytes)
            digest = String(sha256(of: Data(bytes)).prefix(12))
        }

        var address: Address { Address([name], [("v", digest)]) }
    }

    private static let styleSheet = Asset("style.css", "text/css; charset=utf-8", PackageResources.style_css)
    private static let program = Asset("script.js", "text/javascript; charset=utf-8", PackageResources.script_js)
    private static let mapProgram = Asset("map.js", "text/javascript; charset=utf-8", PackageResources.map_js)
    private static let picture = Asset("icon.svg", "image/svg+xml", PackageResources.icon_svg)

    /// The address of the style sheet.
    static let style = styleSheet.address
    /// The address of the script.
    static let script = program.address
    /// The address of the icon.
    static let icon = picture.address

    /// The address of the map's script, likewise.
    static let map = mapProgram.address

    /// The file of a name.
    ///
    /// - Parameter digest: what its address says of its content; only the right one makes it a file that never changes.
    static func response(_ name: String, digest: String?) -> ViewerResponse? {
        let asset: Asset
        switch name {
        case "style.css": asset = styleSheet
        case "script.js": asset = program
        case "icon.svg", "favicon.ico": asset = picture
        case "map.js": asset = mapProgram
        default: return nil
        }
        return ViewerResponse(status: 200, type: asset.type, body: asset.bytes, isFixed: digest == asset.digest)
    }
}
