import Foundation
import Glibc
import JSON
import Synchronization

/// The DevTools protocol over two sockets: JSON messages, each ended by a zero byte.
///
/// A thread of its own reads. Every call has a deadline, and fails with what was awaited.
final class DevToolsConnection: Sendable {
    typealias Listener = @Sendable (_ event: String, _ parameters: JSONValue) -> Void

    private struct Call {
        let method: String
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<JSONValue, any Error>
    }

    private struct State {
        var lastID = 0
        var calls: [Int: Call] = [:]
        var listeners: [String: Listener] = [:]
        var hasEnded = false
    }

    /// The time in which a call is answered, on a machine that is busy with other tests.
    static let patience = Duration.seconds(60)

    private let process: BrowserProcess
    private let state = Mutex(State())
    private let sending = Mutex(())

    init(_ process: BrowserProcess) {
        self.process = process
        Thread.detachNewThread { [self] in read() }
    }

    /// Calls a method.
    ///
    /// - Parameter session: of the tab that is meant; nil for the browser itself.
    /// - Returns: the method's result.
    /// - Throws: `BrowserProblem` if the browser refuses, ends, or does not answer in time.
    @discardableResult
    func call(_ method: String, _ parameters: JSONObject = [:], session: String? = nil) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            let id = state.withLock { state -> Int? in
                guard !state.hasEnded else { return nil }
                state.lastID += 1
                state.calls[state.lastID] = Call(
                    method: method, deadline: .now + Self.patience, continuation: continuation)
                return state.lastID
            }
            guard let id else {
                continuation.resume(throwing: BrowserProblem("\(method): the browser has ended; \(process.log)"))
                return
            }
            var message: JSONObject = [
                "id": .integer(id), "method": .string(method), "params": .object(parameters),
            ]
            if let session { message.members.append(.init(name: "sessionId", value: .string(session))) }
            send(JSONWriter.canonical.bytes(.object(message)) + [0])
        }
    }

    /// Sets what hears the events of a tab; nil for nothing.
    func listen(to session: String, _ listener: Listener?) {
        state.withLock { $0.listeners[session] = listener }
    }

    private func send(_ bytes: [UInt8]) {
        sending.withLock { _ in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(process.input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                // The reader finds out that the browser ended, and answers the calls.
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    private func read() {
        var waiting: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var descriptor = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 100) > 0 {
                let count = recv(process.output, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                waiting += buffer[..<count]
                // Nothing before the new bytes ends a message.
                if buffer[..<count].contains(0) {
                    let messages = waiting.split(separator: 0, omittingEmptySubsequences: false)
                    messages.dropLast().forEach(receive)
                    waiting = Array(messages.last ?? [])
                }
            }
            giveUpLateCalls()
        }
        let left = state.withLock { state in
            state.hasEnded = true
            defer { state.calls = [:] }
            return Array(state.calls.values)
        }
        for call in left {
            call.continuation.resume(throwing: BrowserProblem("\(call.method): the browser ended; \(process.log)"))
        }
    }

    private func receive(_ bytes: ArraySlice<UInt8>) {
        guard let message = try? bytes.withUnsafeBufferPointer({ try JSONParser.parse($0, rules: .lenient) }) else {
            return
        }
        if let id = message["id"]?.wholeNumber {
            guard let call = state.withLock({ $0.calls.removeValue(forKey: id) }) else { return }
            if let error = message["error"] {
                call.continuation.resume(
                    throwing: BrowserProblem("\(call.method): \(error["message"]?.string ?? "refused")"))
            } else {
                call.continuation.resume(returning: message["result"] ?? .null)
            }
        } else if let event = message["method"]?.string, let session = message["sessionId"]?.string {
            state.withLock { $0.listeners[session] }?(event, message["params"] ?? .null)
        }
    }

    private func giveUpLateCalls() {
        let late = state.withLock { state -> [Call] in
            let late = state.calls.filter { $0.value.deadline < .now }
            late.keys.forEach { state.calls[$0] = nil }
            return Array(late.values)
        }
        for call in late {
            call.continuation.resume(throwing: BrowserProblem("\(call.method): no answer in \(Self.patience)"))
        }
    }
}

extension JSONValue {
    /// A string; nil for another kind of value.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}
