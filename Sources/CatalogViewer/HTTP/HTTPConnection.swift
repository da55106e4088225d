/// Reads the requests of one connection, one after another, and sends the answers.
struct HTTPConnection: Sendable {
    private let socket: ConnectionSocket
    private let limits: ServingLimits
    private let connections: OpenConnections
    private let answer: @Sendable (HTTPRequest) -> [UInt8]
    private let refusal: @Sendable (ViewerProblem) -> [UInt8]

    /// - Parameters:
    ///   - descriptor: of the socket, which `connections` has admitted.
    ///   - answer: makes the bytes that answer a request.
    ///   - refusal: makes those that answer what is no request.
    init(
        _ descriptor: Int32, limits: ServingLimits, among connections: OpenConnections,
        answer: @escaping @Sendable (HTTPRequest) -> [UInt8],
        refusal: @escaping @Sendable (ViewerProblem) -> [UInt8]
    ) {
        socket = ConnectionSocket(descriptor: descriptor)
        (self.limits, self.connections) = (limits, connections)
        (self.answer, self.refusal) = (answer, refusal)
    }

    /// Serves the connection until either side ends it, and closes it.
    func serve() {
        defer { connections.end(socket.descriptor) }
        var bytes: [UInt8] = []
        var isFirst = true
        while true {
            do {
                guard var request = try read(&bytes, isFirst: isFirst) else { return }
                guard connections.note(socket.descriptor, .working) else { return }
                // The client is told, so that it sends nothing to a connection that is about to end.
                if connections.isFull { request.keepsAlive = false }
                try send(answer(request))
                guard request.keepsAlive else { return socket.finish() }
                guard connections.note(socket.descriptor, .waiting) else { return }
                isFirst = false
            } catch let problem as ViewerProblem {
                try? send(refusal(problem))
                return socket.finish()
            } catch {
                return
            }
        }
    }

    /// Sends an answer, and notes each part that the other side takes.
    private func send(_ bytes: [UInt8]) throws(ConnectionSocket.Failure) {
        connections.note(socket.descriptor, .answering)
        try socket.write(bytes, until: .now + .seconds(limits.answerSeconds)) {
            connections.note(socket.descriptor, .answering)
        }
    }

    /// Reads a request; the bytes that follow it stay.
    ///
    /// - Returns: nil where the other side has no further one.
    /// - Throws: `ViewerProblem` for what is none.
    private func read(_ bytes: inout [UInt8], isFirst: Bool) throws(ViewerProblem) -> HTTPRequest? {
        if bytes.isEmpty {
            let patience = isFirst ? limits.requestSeconds : limits.idleSeconds
            guard (try? socket.read(into: &bytes, until: .now + .seconds(patience))) != nil else { return nil }
        }
        connections.note(socket.descriptor, .arriving)
        let deadline = ContinuousClock.now + .seconds(limits.requestSeconds)
        var looked = 0
        var end: Int?
        while end == nil {
            end = Self.endOfHead(in: bytes, from: looked)
            looked = max(0, bytes.count - 3)
            guard end ?? bytes.count <= limits.headBytes else {
                throw ViewerProblem(
                    bytes.prefix(FormFields.longestQuery + 32).contains(10) ? 431 : 414,
                    "The address or the headers of the request are too long.")
            }
            if end == nil { try more(&bytes, until: deadline) }
        }
        let headEnd = end ?? 0
        var request = try HTTPRequest(head: bytes[..<headEnd])
        let length = try request.bodyLength()
        guard length <= limits.formBytes else { throw ViewerProblem(413, "The form is too long.") }
        let bodyStart = headEnd + 4
        while bytes.count < bodyStart + length { try more(&bytes, until: deadline) }
        request.body = Array(bytes[bodyStart..<bodyStart + length])
        bytes.removeFirst(bodyStart + length)
        return request
    }

    private func more(_ bytes: inout [UInt8], until deadline: ContinuousClock.Instant) throws(ViewerProblem) {
        do { try socket.read(into: &bytes, until: deadline) } catch {
            switch error {
            case .late:
                throw ViewerProblem(408, "The request did not arrive within \(limits.requestSeconds) seconds.")
            case .closed: throw ViewerProblem(400, "The request is cut off.")
            }
        }
    }

    /// Where the empty line behind the headers begins.
    private static func endOfHead(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for place in max(0, start)...(bytes.count - 4)
        where bytes[place] == 13 && bytes[place + 1] == 10 && bytes[place + 2] == 13 && bytes[place + 3] == 10 {
            return place
        }
        return nil
    }
}
