internal import Foundation
internal import Glibc

extension Error {
    /// Why the system refused something, in its words, such as "No space left on device": the POSIX error below this one,
    /// or what Foundation says of it.
    package var systemReason: String {
        var error: NSError? = self as NSError
        while let one = error {
            if one.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(one.code))) }
            error = one.userInfo[NSUnderlyingErrorKey] as? NSError
        }
        return localizedDescription
    }
}
