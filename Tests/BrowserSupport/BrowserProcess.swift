import Foundation
import Glibc

/// A headless Chromium that is spoken to through two sockets, its file descriptors 3 and 4.
///
/// It runs in a process group of its own with a profile in a temporary directory; `stop` ends the group and removes the
/// directory. Should this process end without `stop`, the browser ends with its sockets.
final class BrowserProcess: Sendable {
    /// Where a program of this name is on the `PATH`; nil if it is not installed.
    static let executable: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return folders.map { $0 + "/chromium" }.first { access($0, X_OK) == 0 }
    }()

    /// What goes to the browser.
    let input: Int32
    /// What comes from it.
    let output: Int32
    private let group: pid_t
    private let folder: String

    /// Starts one.
    ///
    /// - Throws: `BrowserProblem` if there is none, or the system refuses.
    init() throws(BrowserProblem) {
        guard let executable = Self.executable else { throw BrowserProblem("chromium is not on the PATH") }
        var template = Array((NSTemporaryDirectory() + "/routesae-browser-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw BrowserProblem("no temporary directory: \(errno)") }
        folder = String(cString: made)
        let (input, browserInput) = try Self.connected()
        let (output, browserOutput) = try Self.connected()
        (self.input, self.output) = (input, output)
        defer {
            close(browserInput)
            close(browserOutput)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, folder + "/log", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, browserInput, 3)
        posix_spawn_file_actions_adddup2(&actions, browserOutput, 4)
        // A pipe of another test that stays open in the browser would never end for that test.
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { Int32($0) }
        for descriptor in 5...max(5, open?.max() ?? 256) + 64 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)

        let environment = ProcessInfo.processInfo.environment.merging(["HOME": folder]) { _, own in own }
        let arguments = [executable] + Self.options + ["--user-data-dir=\(folder)/profile", "about:blank"]
        var started: pid_t = 0
        let status = Self.withStrings(arguments) { arguments in
            Self.withStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&started, executable, &actions, &attributes, arguments, environment)
            }
        }
        group = started
        guard status == 0 else {
            try? FileManager.default.removeItem(atPath: folder)
            throw BrowserProblem("\(executable) does not start: \(String(cString: strerror(status)))")
        }
    }

    /// The end of what the browser wrote to its standard error.
    var log: String {
        let bytes = FileManager.default.contents(atPath: folder + "/log") ?? Data()
        return String(decoding: bytes.suffix(600), as: UTF8.self)
    }

    /// Ends the browser and all that it started, and removes its profile.
    func stop() {
        kill(-group, SIGKILL)
        var status: Int32 = 0
        waitpid(group, &status, 0)
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let options =
        [
            "--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
            "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-extensions", "--disable-breakpad", "--mute-audio", "--hide-scrollbars",
            "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--password-store=basic",
            "--force-color-profile=srgb", "--lang=en-US",
        ]
        // Chromium refuses to isolate its processes for root.
        + (geteuid() == 0 ? ["--no-sandbox"] : [])

    /// Two connected sockets, above the numbers that the browser expects; ours stays out of other programs.
    private static func connected() throws(BrowserProblem) -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else { throw BrowserProblem("no socket: \(errno)") }
        let raised = pair.map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
        pair.forEach { close($0) }
        guard raised.allSatisfy({ $0 >= 0 }) else { throw BrowserProblem("no socket: \(errno)") }
        return (raised[0], raised[1])
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) } + [nil]
        defer { copies.forEach { free($0) } }
        return body(copies)
    }
}
