import Foundation
import Safetensors

/// A Foundation error about a file, with the system's reason, which is nested several levels deep.
struct FileFailure {
    /// The problem and the path.
    let line: String
    /// The documented exit status.
    let status: Int32

    /// - Returns: nil for any other error.
    init?(_ error: any Error) {
        guard let error = error as? CocoaError else { return nil }
        let path = error.filePath ?? error.url?.path ?? "a file"
        switch error.code {
        case .fileNoSuchFile, .fileReadNoSuchFile:
            (line, status) = ("\(path): no such file or folder", 66)
        case _ where (512..<768).contains(error.code.rawValue):
            (line, status) = (
                "\(path): cannot be written (\(error.systemReason)); check the permissions and the space",
                73
            )
        case _ where (256..<512).contains(error.code.rawValue):
            (line, status) = ("\(path): cannot be read (\(error.systemReason))", 65)
        default: return nil
        }
    }
}
