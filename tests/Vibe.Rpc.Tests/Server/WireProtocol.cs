namespace Vibe.Rpc.Tests.Server;

public enum Family
{
    Grpc,
    GrpcWeb,
    GrpcWebText,
    Connect,
    ConnectGet,
}

/// <summary>One cell of the matrix: how a call goes over the wire.</summary>
public sealed record WireProtocol(Family Family, bool Json = false, bool Gzip = false, int HttpVersion = 2)
{
    /// <summary>All that carry a unary call.</summary>
    public static IEnumerable<WireProtocol> Unary => All.Append(new(Family.ConnectGet, HttpVersion: 1)).Append(new(Family.ConnectGet, Json: true))
        .Append(new(Family.ConnectGet, Gzip: true));

    /// <summary>All that carry a stream.</summary>
    public static IEnumerable<WireProtocol> All =>
        from family in new[] { Family.Grpc, Family.GrpcWeb, Family.GrpcWebText, Family.Connect }
        from json in new[] { false, true }
        from gzip in new[] { false, true }
        from version in new[] { 1, 2 }
        where !(family == Family.Grpc && version == 1) && !(family == Family.GrpcWebText && json)
        select new WireProtocol(family, json, gzip, version);

    public bool IsConnect => Family is Family.Connect or Family.ConnectGet;

    public string ContentType(bool streams) => Family switch
    {
        Family.Grpc => Json ? "application/grpc+json" : "application/grpc",
        Family.GrpcWeb => Json ? "application/grpc-web+json" : "application/grpc-web+proto",
        Family.GrpcWebText => "application/grpc-web-text",
        _ => (streams ? "application/connect+" : "application/") + (Json ? "json" : "proto"),
    };

    public override string ToString() => $"{Family}{(Json ? "+json" : "")}{(Gzip ? "+gzip" : "")}/h{HttpVersion}";
}
