package bench;

/** The service every floor and server of the benchmarks offers. */
public interface Echo {
    String echo(String text);

    Pojo echoPojo(Pojo pojo);
}
