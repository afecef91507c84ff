using System.Globalization;
using System.Text;

namespace Vibe.Benchmarks.Growth;

/// <summary>One line of a chart.</summary>
/// <param name="Name">What it shows.</param>
internal sealed record Curve(string Name)
{
    /// <summary>Its points, from left to right.</summary>
    public List<(double X, double Y)> Points { get; } = [];
}

/// <summary>A small chart: powers to the right, and upwards from zero.</summary>
/// <param name="Title">What it is about.</param>
/// <param name="Unit">Of the values.</param>
/// <param name="Axis">What grows to the right.</param>
/// <param name="Curves">The lines, at most four.</param>
internal sealed record Chart(string Title, string Unit, string Axis, IReadOnlyList<Curve> Curves)
{
    private const int Columns = 2;
    private const int Width = 440;
    private const int Height = 270;
    private const int Left = 60;
    private const int Right = 20;
    private const int Top = 74;
    private const int Bottom = 44;

    private const string Style = """
        <style>
          svg { background: #fff; font: 12px system-ui, sans-serif; }
          text { fill: #333; } .title { font-weight: 600; font-size: 13px; } .soft { fill: #666; } .grid { stroke: #ddd; }
          path { stroke-width: 2; } path.c0, path.c1, path.c2, path.c3 { fill: none; }
          .c0 { stroke: #0b62c4; fill: #0b62c4; } .c1 { stroke: #b3420b; fill: #b3420b; } .c2 { stroke: #1b7a3d; fill: #1b7a3d; } .c3 { stroke: #7b3fb5; fill: #7b3fb5; }
          @media (prefers-color-scheme: dark) {
            svg { background: #15171a; } text { fill: #e6e6e6; } .soft { fill: #a0a0a0; } .grid { stroke: #33373d; }
            .c0 { stroke: #6db1ff; fill: #6db1ff; } .c1 { stroke: #ff9d66; fill: #ff9d66; } .c2 { stroke: #6fd08c; fill: #6fd08c; } .c3 { stroke: #c79bff; fill: #c79bff; }
          }
        </style>
        """;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Draws charts side by side, as SVG for light and dark pages.</summary>
    public static string Draw(IReadOnlyList<Chart> charts)
    {
        var rows = (charts.Count + Columns - 1) / Columns;
        var svg = new StringBuilder();
        var label = string.Join("; ", charts.Select(static chart => $"{chart.Title}, by {chart.Axis}"));
        svg.AppendLine("<!-- Drawn by ./scripts/bench.sh growth. -->");
        svg.AppendLine(Culture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Columns * Width} {rows * Height}" role="img" aria-label="{label}">""");
        svg.AppendLine(Style);
        for (var i = 0; i < charts.Count; i++)
        {
            charts[i].Draw(svg, i % Columns * Width, i / Columns * Height);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private void Draw(StringBuilder svg, int x, int y)
    {
        var (places, most) = (Curves[0].Points.Select(static point => point.X).ToList(), RoundUp(Curves.SelectMany(static curve => curve.Points).Max(static point => point.Y)));
        svg.AppendLine(Culture, $"""<g transform="translate({x} {y})">""");
        svg.AppendLine(Culture, $"""<text x="16" y="24" class="title">{Title}</text><text x="16" y="42" class="soft">{Unit}</text>""");
        for (var line = 0; line <= 4; line++)
        {
            var value = most * line / 4;
            svg.AppendLine(Culture, $"""<line x1="{Left}" x2="{Width - Right}" y1="{Up(value):0.#}" y2="{Up(value):0.#}" class="grid"/><text x="{Left - 6}" y="{Up(value) + 4:0.#}" text-anchor="end" class="soft">{Number(value)}</text>""");
        }

        foreach (var place in places)
        {
            svg.AppendLine(Culture, $"""<text x="{Along(place):0.#}" y="{Height - Bottom + 16}" text-anchor="middle" class="soft">{Number(place)}</text>""");
        }

        svg.AppendLine(Culture, $"""<text x="{(Left + Width - Right) / 2}" y="{Height - Bottom + 34}" text-anchor="middle" class="soft">{Axis}</text>""");
        var legend = 16;
        foreach (var (curve, i) in Curves.Select(static (curve, i) => (curve, i)))
        {
            svg.AppendLine(Culture, $"""<path class="c{i}" d="M{string.Join(" L", curve.Points.Select(point => string.Create(Culture, $"{Along(point.X):0.#} {Up(point.Y):0.#}")))}"/>""");
            foreach (var point in curve.Points)
            {
                svg.AppendLine(Culture, $"""<circle class="c{i}" cx="{Along(point.X):0.#}" cy="{Up(point.Y):0.#}" r="3"><title>{curve.Name}: {Number(point.Y)}</title></circle>""");
            }

            svg.AppendLine(Culture, $"""<circle class="c{i}" cx="{legend + 4}" cy="56" r="4"/><text x="{legend + 13}" y="60">{curve.Name}</text>""");
            legend += 26 + (int)(curve.Name.Length * 6.3);
        }

        svg.AppendLine("</g>");

        double Along(double value) => Left + ((Width - Left - Right) * (Math.Log(value) - Math.Log(places[0])) / (Math.Log(places[^1]) - Math.Log(places[0])));

        double Up(double value) => Height - Bottom - ((Height - Top - Bottom) * value / most);
    }

    // 1, 2, 4 or 8 and zeros: the lines of a grid of four are round numbers then.
    private static double RoundUp(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-9))));
        return power * new[] { 1, 2, 4, 8, 10 }.First(step => power * step >= value);
    }

    private static string Number(double value) => value switch
    {
        >= 1e6 => (value / 1e6).ToString("0.#", Culture) + "M",
        >= 1e3 => (value / 1e3).ToString("0.#", Culture) + "k",
        _ => value.ToString(value < 10 ? "0.##" : "0", Culture),
    };
}
