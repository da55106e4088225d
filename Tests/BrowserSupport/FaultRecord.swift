import JSON

/// What goes wrong in a tab, gathered from its events.
struct FaultRecord {
    /// One line for each fault.
    var faults: [String] = []
    private var addresses: [String: String] = [:]

    /// Takes an event.
    mutating func hear(_ event: String, _ parameters: JSONValue) {
        switch event {
        case "Runtime.exceptionThrown":
            let details = parameters["exceptionDetails"]
            faults.append(
                "exception: \(details?["exception"]?["description"]?.string ?? details?["text"]?.string ?? "")")
        case "Runtime.consoleAPICalled":
            guard let type = parameters["type"]?.string, ["error", "warning", "assert"].contains(type) else { return }
            var words: [String] = []
            if case .array(let arguments)? = parameters["args"] {
                words = arguments.map { $0["value"]?.string ?? $0["description"]?.string ?? "" }
            }
            faults.append("console \(type): \(words.joined(separator: " "))")
        case "Log.entryAdded":
            let entry = parameters["entry"]
            guard let level = entry?["level"]?.string, ["error", "warning"].contains(level) else { return }
            faults.append("log \(level): \(entry?["text"]?.string ?? "") \(entry?["url"]?.string ?? "")")
        case "Network.requestWillBeSent":
            guard let id = parameters["requestId"]?.string else { return }
            addresses[id] = parameters["request"]?["url"]?.string
        case "Network.responseReceived":
            guard let status = parameters["response"]?["status"]?.wholeNumber, status >= 400 else { return }
            faults.append("status \(status): \(parameters["response"]?["url"]?.string ?? "")")
        case "Network.loadingFailed":
            // Leaving a page gives up what it still loads.
            guard parameters["canceled"] != .boolean(true) else { return }
            let address = parameters["requestId"]?.string.flatMap { addresses[$0] } ?? "a request"
            faults.append("\(address) failed: \(parameters["errorText"]?.string ?? "")")
        case "Page.javascriptDialogOpening":
            faults.append("dialog: \(parameters["message"]?.string ?? "")")
        default: break
        }
    }
}
