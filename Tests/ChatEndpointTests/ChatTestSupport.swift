import ChatEndpoint
import Foundation
import Synchronization

/// A request that names itself.
func question(_ text: String = "Is it so?", model: String = "tester") -> ChatRequest {
    ChatRequest(model: model, messages: [ChatRequest.Message(role: "user", content: text)], temperature: 0)
}

/// Waits requested and not slept.
final class RecordedSleeps: Sendable {
    private let seconds = Mutex<[Double]>([])

    var all: [Double] { seconds.withLock { $0 } }

    func sleep(_ duration: Double) {
        seconds.withLock { $0.append(duration) }
    }
}

/// A switch that a test throws from outside.
final class Switch: Sendable {
    private let state = Mutex(false)

    var isOn: Bool { state.withLock { $0 } }

    func turnOn() {
        state.withLock { $0 = true }
    }
}

/// The failure of a call that must fail.
func failure(of call: () throws(ChatFailure) -> Exchange) -> ChatFailure? {
    do throws(ChatFailure) {
        _ = try call()
        return nil
    } catch {
        return error
    }
}
